// SPDX-License-Identifier: Apache-2.0
// Where a webhook arrives: its bytes are read once, handed to intake, and answered when the event is durable.

import Intake
import NIOCore
import NIOHTTP1
import Telemetry

/// Takes plain webhooks out of a connection's requests, one at a time, and passes all others on to the router. A
/// webhook is plain when its source is in memory and its body has a length. The first one of a source is not.
///
/// It stands between the HTTP parser and Hummingbird, on the connection's own event loop:
///
///     head    Is it a plain webhook (`PlainHookRequest`)? If not, its parts go on to the router.
///     body    Collect the bytes.
///     end     Hand the delivery to intake (`receive`).
///     later   Intake has committed or refused the event: write the answer (`send`).
///
/// The router would answer a plain webhook alike (`HooksController`). Here it costs no task, no route and no copy of
/// the headers.
final class HookFastPath: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// No answer is owed. The rest of a request may still arrive that the router has answered early.
        case idle
        /// A plain webhook has begun; these are its bytes so far.
        case collecting(PlainHookRequest, ByteBuffer)
        /// Intake has the whole webhook; our answer is on the way. The client may have closed its side meanwhile.
        case answering(isInputClosed: Bool)
        /// The router has the request; its body is still to come.
        case passing
        /// The router has the whole request; its answer is on the way.
        case passed
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
            guard let request = PlainHookRequest(head, for: self.hooks) else {
                self.state = .passing
                return context.fireChannelRead(data)
            }
            self.state = .collecting(request, ByteBuffer())
        case (.body(var bytes), .collecting(let request, var body)):
            self.state = .idle  // The buffer has one owner now, so that it grows without a copy.
            if body.readableBytes == 0 { swap(&body, &bytes) } else { body.writeBuffer(&bytes) }
            self.state = .collecting(request, body)
        case (.end, .collecting(let request, let body)):
            self.state = .answering(isInputClosed: false)
            self.receive(request, body, context)
        case (.end, .passing):
            self.state = .passed
            context.fireChannelRead(data)
        case (.body, _), (.end, _):  // The router's request. It may have been answered already.
            context.fireChannelRead(data)
        }
    }

    /// Hands the webhook to intake, and sends the answer when the event is durable or refused.
    private func receive(_ request: PlainHookRequest, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let hooks = self.hooks
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        hooks.intake.receive(request.delivery(body, at: hooks.now()), at: request.known) { result in
            hooks.deliveries.add(DeliveryOutcome(result))
            // Intake calls back once, on any thread. This handler and its context belong to the event loop.
            let answer = request.answer(result, from: hooks)
            loop.execute {
                let (fastPath, context) = bound.value
                fastPath.send(answer, context)
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

    // MARK: Around a request

    /// The router's answers pass here.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { self.state = .idle }
        context.write(data, promise: promise)
    }

    /// Closes a silent connection, unless it waits for an answer.
    ///
    /// `inputClosed` means that the client has closed its side. It ends the router's part of the connection. When our
    /// answer is on the way, it is therefore passed on only after the answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, self.state) {
        case (is IdleStateHandler.IdleStateEvent, .answering), (is IdleStateHandler.IdleStateEvent, .passed): break
        case (is IdleStateHandler.IdleStateEvent, _): context.close(promise: nil)
        case (ChannelEvent.inputClosed, .answering): self.state = .answering(isInputClosed: true)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
