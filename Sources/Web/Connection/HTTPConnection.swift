// SPDX-License-Identifier: Apache-2.0
// One client's connection: HTTP/1.1 with a fast path for webhooks, and Hummingbird's router for everything else.

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

    /// A connection that is set up, and the client at its other end.
    struct Value: ServerChildChannelValue {
        let asyncChannel: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        let presence: CallerPresence
        var channel: any Channel { self.asyncChannel.channel }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let deadline = RequestDeadline(self.requestTimeout)
            let presence = CallerPresence()
            // `HookFastPath` decides what a silence means.
            try pipeline.addHandler(IdleStateHandler(readTimeout: self.idleTimeout))
            // A client that does not read our answers is not read from either: they would pile up here.
            try pipeline.addHandler(BackPressureHandler())
            try pipeline.addHandler(deadline)
            try pipeline.addHandler(CallerWatch(presence))
            try pipeline.configureHTTPServerPipeline(
                // One request at a time, so that the answers of both paths keep their order. On shutdown this handler
                // also closes the connection when no answer is owed.
                withPipeliningAssistance: true,
                // Hummingbird answers a request that cannot be parsed, in `handleHTTP`.
                withErrorHandling: false,
                // The router's fields are checked by HTTPTypes. The fast path writes only fields of its own.
                withOutboundHeaderValidation: false)
            try pipeline.addHandler(HookFastPath(hooks: self.hooks, deadline: deadline))
            // The connection has no TLS, so the scheme is http.
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            return Value(
                asyncChannel: try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel,
                    // After its last answer Hummingbird closes its output only, and then waits for the client to close.
                    configuration: .init(isOutboundHalfClosureEnabled: true)),
                presence: presence)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await CallerPresence.$current.withValue(value.presence) {
            await self.handleHTTP(asyncChannel: value.asyncChannel, logger: logger)
        }
    }
}
