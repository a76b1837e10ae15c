// SPDX-License-Identifier: Apache-2.0
// One client's connection: HTTP/1.1 with a fast path for webhooks, and Hummingbird's router for everything else.

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

typealias RequestDecoder = ByteToMessageHandler<HTTPRequestDecoder>

/// Hummingbird's HTTP/1.1 channel with `RequestConduct` and `HookFastPath` in it.
struct HTTPConnection: ServerChildChannel, HTTPChannelHandler {
    let responder: Responder
    /// Nil for the status listener, which has no webhooks.
    let hooks: HooksController?
    let connections: OpenConnections
    let logger: Logger
    /// Returns the text of a Date field.
    let date: @Sendable () -> String
    /// How long a connection may be silent between requests, unless an answer is being made.
    let keepAlive: TimeAmount

    /// A connection that is set up, and the client at its other end.
    struct Value: ServerChildChannelValue {
        let asyncChannel: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        let presence: CallerPresence
        var channel: any Channel { self.asyncChannel.channel }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // A connection keeps some buffers of this size. Most requests fit into the first.
            try channel.syncOptions?.setOption(
                ChannelOptions.recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 8192))
            let presence = CallerPresence()
            try self.addHandlers(to: channel.pipeline.syncOperations, of: channel, presence)
            let asyncChannel = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel,
                configuration: .init(
                    // Parts of a body that may wait for their route.
                    backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4),
                    // After its last answer Hummingbird closes its output only, and then waits for the client to close.
                    isOutboundHalfClosureEnabled: true))
            return Value(asyncChannel: asyncChannel, presence: presence)
        }
    }

    private func addHandlers(
        to pipeline: ChannelPipeline.SynchronousOperations, of channel: any Channel, _ presence: CallerPresence
    ) throws {
        let activity = ConnectionActivity()
        self.connections.add(channel, activity)
        // `RequestConduct` decides what a silence means.
        try pipeline.addHandler(IdleStateHandler(readTimeout: self.keepAlive))
        // A client that does not read our answers is not read from either: they would pile up here.
        try pipeline.addHandler(BackPressureHandler())
        try pipeline.addHandler(CallerWatch(presence))
        let conduct = try Self.addHTTP(
            to: pipeline, times: RequestDeadline.Times(), activity: activity, keepAlive: self.keepAlive,
            logger: self.logger, date: self.date)
        if let hooks = self.hooks { try pipeline.addHandler(HookFastPath(hooks: hooks, conduct: conduct)) }
        // The connection has no TLS, so the scheme is http.
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
    }

    /// Adds the parser and what holds for both paths.
    static func addHTTP(
        to pipeline: ChannelPipeline.SynchronousOperations, times: RequestDeadline.Times, activity: ConnectionActivity,
        keepAlive: TimeAmount = .zero, logger: Logger, date: @escaping @Sendable () -> String
    ) throws -> RequestConduct {
        let deadline = RequestDeadline(times, activity: activity)
        let decoder = Self.requestDecoder()
        let conduct = RequestConduct(
            deadline: deadline, activity: activity, decoder: decoder, keepAlive: keepAlive, logger: logger, date: date)
        try pipeline.addHandler(deadline)
        // The router's fields are checked by HTTPTypes. The fast path writes only fields of its own.
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(decoder)
        // One request at a time, so that the answers of both paths keep their order. On shutdown this handler also
        // closes the connection when no answer is owed.
        try pipeline.addHandler(HTTPServerPipelineHandler())
        try pipeline.addHandler(conduct)
        return conduct
    }

    /// A head has 100 fields at most, 8 KiB in each, and 32 KiB in all.
    ///
    /// What a removed parser has not read goes to the next handler, which is its successor (`RequestConduct`).
    static func requestDecoder() -> RequestDecoder {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8192
        limits.maxHeaderListSize = 32_768
        limits.maxHeaderFieldCount = 100
        return ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
    }

    func handle(value: Value, logger: Logger) async {
        await CallerPresence.$current.withValue(value.presence) {
            await self.handleHTTP(asyncChannel: value.asyncChannel, logger: logger)
        }
    }
}
