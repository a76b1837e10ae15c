// SPDX-License-Identifier: Apache-2.0
// Whether a connection's client is still there: a list that nobody reads any more must not go on in the database.

import NIOCore
import Synchronization

/// The client has gone, so its request was given up. Nobody reads the answer.
struct CallerHasLeft: Error {}

/// The client of one connection, which has one request at a time.
final class CallerPresence: Sendable {
    /// The client of the connection that this task serves; nil in a test without one.
    @TaskLocal static var current: CallerPresence?

    private struct State {
        var hasLeft = false
        /// Finished when the client leaves. Only the request under way waits for that.
        var departure: AsyncStream<Void>.Continuation?
    }

    /// A client that has closed its own side only may still read. It gets what is done within this time.
    private let grace: Duration
    private let state = Mutex(State())

    init(grace: Duration = .milliseconds(500)) { self.grace = grace }

    /// Notes that the client has closed the connection, or its side of it.
    func left() {
        self.state.withLock { state -> AsyncStream<Void>.Continuation? in
            state.hasLeft = true
            return state.departure
        }?.finish()
    }

    /// Runs `work` and cancels it when the client of this task's connection leaves. Throws `CallerHasLeft` then, and
    /// the errors of `work`.
    static func required<Value: Sendable>(by work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let current = Self.current else { return try await work() }
        return try await current.required(by: work)
    }

    func required<Value: Sendable>(by work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await self.departs()
                try await Task.sleep(for: self.grace)
                throw CallerHasLeft()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CallerHasLeft() }
            return value
        }
    }

    /// Returns when the client has left, or when the task is cancelled.
    private func departs() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let hasLeft = self.state.withLock { state in
            state.departure = continuation
            return state.hasLeft
        }
        if hasLeft { return }
        for await _ in stream {}
    }
}

/// Tells the presence what the socket says. It stands before the HTTP parser, because the handler behind the parser
/// keeps back what follows a request until that request is answered.
final class CallerWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let presence: CallerPresence

    init(_ presence: CallerPresence) { self.presence = presence }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { self.presence.left() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.presence.left()
        context.fireChannelInactive()
    }
}
