// SPDX-License-Identifier: Apache-2.0
// Where a webhook arrives: its bytes are read once, handed to intake, and answered when the event is durable.

import Intake
import NIOCore
import NIOHTTP1
import Telemetry

/// Takes plain webhooks out of a connection's requests, one at a time, and passes all others on to the router. A
/// webhook is plain when its source is in memory and its body has a length. The first one of a source is not.
///
/// It stands between `RequestConduct` and Hummingbird, on the connection's own event loop:
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
        /// A plain webhook has begun; these are its bytes so far. `isHeld`: it did not come in one read.
        case collecting(PlainHookRequest, ByteBuffer, isHeld: Bool)
        /// Intake has the whole webhook; our answer is on the way. The client may have closed its side meanwhile.
        case answering(isInputClosed: Bool)
        /// The router has the request; its body is still to come.
        case passing
        /// The router has the whole request; its answer is on the way.
        case passed
    }

    private let hooks: HooksController
    private let conduct: RequestConduct
    private var hold: BodyBudget.Hold
    private var state = State.idle

    init(hooks: HooksController, conduct: RequestConduct) {
        self.hooks = hooks
        self.conduct = conduct
        self.hold = BodyBudget.Hold(hooks.bodies.budget)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (Self.unwrapInboundIn(data), self.state) {
        case (.head(let head), _):
            guard let request = PlainHookRequest(head, for: self.hooks) else {
                self.state = .passing
                return context.fireChannelRead(data)
            }
            self.state = .collecting(request, ByteBuffer(), isHeld: false)
        case (.body(var bytes), .collecting(let request, var body, let isHeld)):
            self.state = .idle  // The buffer has one owner now, so that it grows without a copy.
            if body.readableBytes == 0 { swap(&body, &bytes) } else { body.writeBuffer(&bytes) }
            self.state = .collecting(request, body, isHeld: isHeld)
        case (.end, .collecting(let request, let body, let isHeld)):
            self.hold.release()
            self.state = .answering(isInputClosed: false)
            guard isHeld else { return self.receive(request, body, context) }
            self.receiveLate(request, body, context)
        case (.end, .passing):
            self.state = .passed
            context.fireChannelRead(data)
        case (.body, _), (.end, _):  // The router's request. It may have been answered already.
            context.fireChannelRead(data)
        }
    }

    /// A body that did not come in one read takes memory until it is whole. It may wait for leave to come.
    func channelReadComplete(context: ChannelHandlerContext) {
        if case .collecting(let request, let body, _) = self.state {
            if self.hold.covers(body.storageCapacity) {
                self.state = .collecting(request, body, isHeld: true)
                context.triggerUserOutboundEvent(RequestConduct.BodyEvent.isWanted, promise: nil)
            } else {
                self.refuse(request, Problem.busy, body.readableBytes, context)
            }
        }
        context.fireChannelReadComplete()
    }

    /// A body that has taken its time meets the source as it is now: a secret may have been rotated meanwhile. The
    /// router gets the request when the source is no longer in memory.
    private func receiveLate(_ request: PlainHookRequest, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        if let known = self.hooks.intake.knownHook(request.hook, now: self.hooks.now()) {
            return self.receive(request.with(known), body, context)
        }
        self.state = .passed
        context.fireChannelRead(Self.wrapInboundOut(.head(request.head)))
        context.fireChannelRead(Self.wrapInboundOut(.body(body)))
        context.fireChannelRead(Self.wrapInboundOut(.end(nil)))
    }

    /// Hands the webhook to intake, and sends the answer when the event is durable or refused.
    private func receive(_ request: PlainHookRequest, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let hooks = self.hooks
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        let length = body.readableBytes
        hooks.intake.receive(request.delivery(body, at: hooks.now()), at: request.known) { result in
            hooks.deliveries.add(DeliveryOutcome(result))
            if case .failure(let error) = result { request.countRefused(error, body: length, from: hooks) }
            // Intake calls back once, on any thread. This handler and its context belong to the event loop.
            let answer = request.answer(result, from: hooks)
            let send = { @Sendable in
                let (fastPath, context) = bound.value
                fastPath.send(answer, context)
            }
            guard answer.isHeldBack else { return loop.execute(send) }
            loop.scheduleTask(in: TimeAmount(AnswerDelay.time), send)
        }
    }

    /// Ends a webhook that is not yet whole, and the connection with it.
    private func refuse(
        _ request: PlainHookRequest, _ problem: Problem, _ length: Int, _ context: ChannelHandlerContext
    ) {
        self.hold.release()
        self.hooks.deliveries.add(DeliveryOutcome(problem))
        request.countRefused(problem, body: length, from: self.hooks)
        self.conduct.closeAfterAnswer()
        self.state = .answering(isInputClosed: false)
        self.send(request.answer(problem, from: self.hooks), context)
    }

    private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, case .answering(let isInputClosed) = self.state else { return }
        self.state = .idle
        context.write(Self.wrapOutboundOut(.head(answer.head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(answer.bytes)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        if isInputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    // MARK: Around a request

    /// The router's answers pass here.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { self.state = .idle }
        context.write(data, promise: promise)
    }

    /// `inputClosed` means that the client has closed its side. It ends the router's part of the connection. When our
    /// answer is on the way, it is therefore passed on only after the answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case (ChannelEvent.inputClosed, .answering) = (event, self.state) {
            self.state = .answering(isInputClosed: true)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, case .collecting(let request, let body, _) = self.state {
            self.refuse(request, Problem.unreadableBody, body.readableBytes, context)
        } else {
            context.fireErrorCaught(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.hold.release()
        self.state = .idle
        context.fireChannelInactive()
    }
}
