// SPDX-License-Identifier: Apache-2.0
// One client's connection: HTTP/1.1 with a lane of its own for webhooks, and everything else to Hummingbird's router.

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Hummingbird's HTTP/1.1 channel with `HookFastPath` in it.
struct HTTPConnection: ServerChildChannel, HTTPChannelHandler {
    let responder: Responder
    let hooks: HooksController
    /// How long a connection may be silent, unless an answer is being made.
    let idleTimeout: TimeAmount
    /// How long a request may take to arrive.
    let requestTimeout: TimeAmount

    /// The pipeline handler lets one request through at a time, so that answers keep their order whoever gives them,
    /// and closes at a quiet moment when the server shuts down.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<
        NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    > {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let deadline = RequestDeadline(self.requestTimeout)
            try pipeline.addHandler(IdleStateHandler(readTimeout: self.idleTimeout))
            // Whoever does not read our answers is not read from either: they would pile up here.
            try pipeline.addHandler(BackPressureHandler())
            try pipeline.addHandler(deadline)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false)
            try pipeline.addHandler(HookFastPath(hooks: self.hooks, deadline: deadline))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, logger: Logger) async {
        await self.handleHTTP(asyncChannel: value, logger: logger)
    }
}
