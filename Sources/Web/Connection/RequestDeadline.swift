// SPDX-License-Identifier: Apache-2.0
// A request must arrive whole within its time: a client that trickles bytes must not hold a connection for ever.

import NIOCore

/// Closes a connection on which a request has begun and does not end in time.
///
/// `IdleStateHandler` watches for silence. The time until our answer does not count. A request that arrives in one
/// read, as nearly all do, sets no timer.
final class RequestDeadline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let time: TimeAmount
    private var hasBegun = false
    private var timer: Scheduled<Void>?

    init(_ time: TimeAmount) { self.time = time }

    /// The request's last byte was read.
    func requestEnded() {
        self.hasBegun = false
        self.timer?.cancel()
        self.timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.hasBegun = true
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if self.hasBegun, self.timer == nil {
            self.timer = context.eventLoop.assumeIsolated().scheduleTask(in: self.time) { context.close(promise: nil) }
        }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.requestEnded()
        context.fireChannelInactive()
    }
}
