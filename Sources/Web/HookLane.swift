// SPDX-License-Identifier: Apache-2.0
// The hot path from socket to intake: an ordinary webhook is taken in and answered on its connection's own event loop.

import Foundation
import Intake
import NIOCore
import NIOHTTP1

/// Takes plain webhooks out of the stream of requests, one at a time, and lets all others pass to the router: a hook not in
/// memory, a body without a length or too long, an encoding, a connection about to close. The router answers those, and
/// would answer these alike; here they cost no task, no route and no copy of the headers.
final class HookLane: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        /// The router has the request; its body is still to come.
        case passing
        case collecting(HooksController.Opening, ByteBuffer)
        /// The request was read to its end; the answer is on its way.
        case answering
    }

    private let hooks: HooksController
    private var state = State.idle

    init(hooks: HooksController) { self.hooks = hooks }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        switch (part, self.state) {
        case (.head(let head), _):
            guard let opening = self.hooks.opening(head) else {
                self.state = .passing
                return context.fireChannelRead(data)
            }
            self.state = .collecting(opening, ByteBuffer())
        case (.body(var bytes), .collecting(let opening, var body)):
            self.state = .idle  // so that the buffer has one owner
            if body.readableBytes == 0 { swap(&body, &bytes) } else { body.writeBuffer(&bytes) }
            self.state = .collecting(opening, body)
        case (.end, .collecting(let opening, let body)):
            self.state = .answering
            self.receive(opening, body, context)
        case (.end, _):
            self.state = .answering
            context.fireChannelRead(data)
        case (.body, _):
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.fireChannelReadComplete() }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { self.state = .idle }
        context.write(data, promise: promise)
    }

    /// A silent connection is closed, unless it waits for our answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            if case .answering = self.state { return }
            return context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func receive(_ opening: HooksController.Opening, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        self.hooks.receive(opening, body: body) { answer in
            loop.execute {
                let (lane, context) = bound.value
                lane.send(answer, context)
            }
        }
    }

    private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        self.state = .idle
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: answer.status), headers: HTTPHeaders(answer.fields))
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
