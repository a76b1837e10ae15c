// SPDX-License-Identifier: Apache-2.0
// The times of a connection: a client that is silent or trickles bytes must not hold it for ever.

import NIOCore
import NIOHTTP1

/// Closes a connection that sends nothing at first, or on which a request has begun and does not arrive in time.
///
/// `IdleStateHandler` watches for the silence between requests. The time until our answer does not count. A request
/// that arrives in one read, as nearly all do, sets no timer.
final class RequestDeadline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    struct Times: Sendable {
        /// From the start of the connection to its first byte.
        var firstByte = TimeAmount.seconds(5)
        /// From a request's first byte to the end of its head.
        var head = TimeAmount.seconds(10)
        /// From a request's first byte to its last.
        var request = TimeAmount.seconds(20)
        /// From our last answer to the end, for a client that does not close by itself.
        var farewell = TimeAmount.seconds(2)
    }

    private enum Stage {
        case silent, idle, head, body
        /// No further request is taken. What still comes is dropped.
        case farewell
    }

    private let times: Times
    private let activity: ConnectionActivity
    private var stage = Stage.silent
    private var timer: Scheduled<Void>?
    /// When the request under way has begun. Nil for one that came in an earlier read and waited for its turn.
    private var begun: NIODeadline?
    private var isInRead = false
    /// Bytes of the next request may come while an answer is owed. Their time begins with their turn.
    private var isAnswerOwed = false
    /// The first bytes of a request whose head is not yet whole.
    private(set) var firstBytes: ByteBuffer?

    init(_ times: Times, activity: ConnectionActivity = ConnectionActivity()) {
        self.times = times
        self.activity = activity
    }

    // MARK: What RequestConduct sees

    /// The request's head was read. It may have waited behind another request: then no read is under way.
    func headCame(_ context: ChannelHandlerContext) {
        guard self.stage != .farewell else { return }
        self.stage = .body
        self.firstBytes = nil
        if self.timer != nil || !self.isInRead { self.setTimer(for: self.times.request, context) }
    }

    /// The request's last byte was read. `isAnswered`: its answer was complete before.
    func requestEnded(isAnswered: Bool) {
        guard self.stage != .farewell else { return }
        self.stage = .idle
        self.isAnswerOwed = !isAnswered
        self.begun = nil
        self.firstBytes = nil
        self.stopTimer()
    }

    /// The answer is complete.
    func answered() { self.isAnswerOwed = false }

    /// Drops all that the client still sends.
    func discard() {
        self.stage = .farewell
        self.firstBytes = nil
        self.stopTimer()
    }

    /// Closes the connection when the last answer cannot be written in the time of a request.
    func expectFarewell(_ context: ChannelHandlerContext) {
        self.begun = nil
        self.setTimer(for: self.times.request, context)
    }

    /// Closes the connection soon. A close at once could reset it before the client has read the answer (RFC 9112
    /// section 9.6).
    func closeSoon(_ context: ChannelHandlerContext) {
        self.begun = nil
        self.setTimer(for: self.times.farewell, context)
    }

    // MARK: Bytes

    func channelActive(context: ChannelHandlerContext) {
        self.setTimer(for: self.times.firstByte, context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isInRead = true
        switch self.stage {
        case .farewell: return
        case .head, .body: break
        case .silent, .idle:
            let bytes = Self.unwrapInboundIn(data)
            // An empty line before a request is ignored (RFC 9112 section 2.2).
            if self.isAnswerOwed || RequestLine.isBlank(bytes) { break }
            if self.timer != nil { self.stopTimer() }
            self.stage = .head
            self.begun = context.eventLoop.now
            self.activity.isBusy()
            self.firstBytes = bytes
            // The parser would wait for header fields, which HTTP/0.9 does not have.
            if RequestLine.isOldest(bytes) { return context.fireErrorCaught(HTTPParserError.invalidVersion) }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isInRead = false
        if self.timer == nil {
            switch self.stage {
            case .head: self.setTimer(for: self.times.head, context)
            case .body: self.setTimer(for: self.times.request, context)
            case .silent, .idle, .farewell: break
            }
        }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.stopTimer()
        context.fireChannelInactive()
    }

    /// Counts from the request's first byte, if that is known.
    private func setTimer(for time: TimeAmount, _ context: ChannelHandlerContext) {
        self.timer?.cancel()
        let end = (self.begun ?? context.eventLoop.now) + time
        self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: end) { context.close(promise: nil) }
    }

    private func stopTimer() {
        self.timer?.cancel()
        self.timer = nil
    }
}
