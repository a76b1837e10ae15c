// SPDX-License-Identifier: Apache-2.0
// The hot path from socket to intake: an ordinary webhook is taken in and answered on its connection's own event loop.

import Foundation
import Intake
import NIOCore
import NIOHTTP1

/// Takes plain webhooks out of the stream of requests, one at a time, and lets all others pass to the router: a hook
/// not in memory, a body without a length or too long, an encoding, a connection about to close. The router answers
/// those, and would answer these alike; here they cost no task, no route and no copy of the headers.
final class HookFastPath: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        /// The router has the request; its body is still to come.
        case passing
        case collecting(HooksController.Opening, ByteBuffer)
        /// The router has the whole request; its answer is on the way.
        case passed
        /// We have the whole request; our answer is on the way. The client may have closed its side meanwhile.
        case answering(isInputClosed: Bool)
    }

    private let hooks: HooksController
    private let deadline: RequestDeadline
    private var state = State.idle

    init(hooks: HooksController, deadline: RequestDeadline) {
        self.hooks = hooks
        self.deadline = deadline
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        if case .end = part { self.deadline.requestEnded() }
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
            self.state = .answering(isInputClosed: false)
            self.receive(opening, body, context)
        case (.end, .passing):
            self.state = .passed
            context.fireChannelRead(data)
        case (.body, _), (.end, _):  // the router's; answered early, perhaps
            context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { self.state = .idle }
        context.write(data, promise: promise)
    }

    /// A silent connection is closed, unless it waits for an answer. That the client has closed its side ends the
    /// router's part of the connection, and so is passed on after our answer only.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, self.state) {
        case (is IdleStateHandler.IdleStateEvent, .answering), (is IdleStateHandler.IdleStateEvent, .passed): break
        case (is IdleStateHandler.IdleStateEvent, _): context.close(promise: nil)
        case (ChannelEvent.inputClosed, .answering): self.state = .answering(isInputClosed: true)
        default: context.fireUserInboundEventTriggered(event)
        }
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
        guard context.channel.isActive, case .answering(let isInputClosed) = self.state else { return }
        self.state = .idle
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: answer.status), headers: HTTPHeaders(answer.fields))
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        if isInputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }
}
