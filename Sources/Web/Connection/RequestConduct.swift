// SPDX-License-Identifier: Apache-2.0
// How a connection behaves for both paths: it stays or closes, asks for a held body, ignores upgrades, refuses garbage.

import Logging
import NIOCore
import NIOHTTP1

/// Stands between the HTTP parser and `HookFastPath`, so that webhooks and the router's requests are treated alike.
///
/// A plain request passes as it is. After the last answer of a connection, nothing passes any more in either direction:
/// the client reads the answer and closes, or is closed soon.
final class RequestConduct: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A route or the fast path reads the body now, so that a client who holds it back may send it.
    enum BodyEvent { case isWanted }

    private enum AnswerState { case owed, begun, complete }

    private let logger: Logger
    private let date: @Sendable () -> String
    private let deadline: RequestDeadline
    private let activity: ConnectionActivity
    private var decoder: RequestDecoder
    /// The latest request, until its answer is complete.
    private var head: HTTPRequestHead?
    private var (persistence, wish) = (Persistence.stays, UpgradeWish.none)
    private var isReading = false
    private var answer = AnswerState.complete
    /// Whether a client holds its body back until it is told to go on.
    private var owesContinue = false
    private var isOver = false
    private let keepAlive: TimeAmount
    private var restsSince = NIODeadline.uptimeNanoseconds(0)

    /// `date` returns the Date field's text.
    init(
        deadline: RequestDeadline, activity: ConnectionActivity, decoder: RequestDecoder,
        keepAlive: TimeAmount = .zero, logger: Logger, date: @escaping @Sendable () -> String
    ) {
        self.keepAlive = keepAlive
        self.logger = logger
        self.date = date
        self.deadline = deadline
        self.activity = activity
        self.decoder = decoder
    }

    /// The connection ends after the answer to this request.
    func closeAfterAnswer() { self.persistence = .closes }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isOver else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.deadline.headCame(context)
            self.activity.isBusy()
            self.begin(head, data, context)
        case .body:
            // It comes without being asked for.
            self.owesContinue = false
            context.fireChannelRead(data)
        case .end:
            self.deadline.requestEnded(isAnswered: self.answer == .complete)
            // What follows is no request any more, and the parser may have stopped.
            if self.persistence == .closes { self.deadline.discard() }
            self.isReading = false
            self.owesContinue = false
            if self.answer == .complete { self.rest(context) }
            // Before the end is passed on, because that may bring the answer, and with it the next request.
            if self.wish == .stopsParser { self.listenAgain(context) }
            context.fireChannelRead(data)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ data: NIOAny, _ context: ChannelHandlerContext) {
        self.head = head
        self.persistence = Persistence(head)
        self.wish = UpgradeWish(head)
        self.isReading = true
        self.answer = .owed
        if self.wish == .unclear { self.persistence = .closes }
        // What follows a CONNECT may be a tunnel's bytes (RFC 9110 section 9.3.6).
        guard head.method != .CONNECT else { return self.refuse(Problem.unknownMethod, context) }
        switch Expectation(head) {
        case .none: break
        case .toContinue: self.owesContinue = true
        case .unknown: return self.refuse(Problem.unknownExpectation, context)
        }
        // `OPTIONS *` asks about the server (RFC 9110 section 9.3.7).
        let isAboutAll = head.method == .OPTIONS && head.uri == "*"
        guard let target = isAboutAll ? "/" : RequestTarget.normalised(head.uri) else {
            return context.fireChannelRead(data)
        }
        var normalised = head
        normalised.uri = target
        context.fireChannelRead(Self.wrapInboundOut(.head(normalised)))
    }

    /// The parser stops for ever after a request that asks for another protocol. A new one takes its place, and gets
    /// the bytes that the old one has left.
    private func listenAgain(_ context: ChannelHandlerContext) {
        self.wish = .none
        let (old, new) = (self.decoder, HTTPConnection.requestDecoder())
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(new, position: .after(old))
        } catch {
            return context.close(promise: nil)
        }
        self.decoder = new
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        pipeline.removeHandler(old).whenComplete { _ in bound.value.fireChannelReadComplete() }
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Hummingbird would answer a second time after a broken body.
        guard !self.isOver else { return promise?.succeed() ?? () }
        switch Self.unwrapOutboundIn(data) {
        case .head(let head): self.write(head, data, context, promise)
        case .body: context.write(data, promise: promise)
        case .end: self.writeEnd(data, context, promise)
        }
    }

    private func write(
        _ head: HTTPResponseHead, _ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        self.answer = .begun
        if self.isReading, self.owesContinue || self.hasLongRest { self.persistence = .closes }
        guard self.persistence != .stays else { return context.write(data, promise: promise) }
        var head = head
        head.headers.replaceOrAdd(name: "connection", value: self.persistence == .closes ? "close" : "keep-alive")
        context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
    }

    /// Bytes of an unwanted body at most that are read and dropped, so that the connection can stay.
    private static let shortRest = 262_144

    private var hasLongRest: Bool {
        guard let head else { return false }
        if head.headers.contains(name: "transfer-encoding") { return true }
        return head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0 > Self.shortRest
    }

    /// Settles everything before the write, because that may bring the next request.
    private func writeEnd(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        self.answer = .complete
        self.deadline.answered()
        guard self.persistence == .closes else {
            if !self.isReading { self.rest(context) }
            return context.write(data, promise: promise)
        }
        self.leave()
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        self.closeOutput(when: written.futureResult, context)
        context.write(data, promise: written)
        context.flush()
    }

    /// No request is under way.
    private func rest(_ context: ChannelHandlerContext) {
        self.head = nil
        self.restsSince = context.eventLoop.now
        self.activity.isIdle()
    }

    private func leave() {
        self.isOver = true
        self.head = nil
        self.activity.isIdle()
        self.deadline.discard()
    }

    private func closeOutput(when written: EventLoopFuture<Void>, _ context: ChannelHandlerContext) {
        self.deadline.expectFarewell(context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.whenComplete { _ in
            let (conduct, context) = bound.value
            guard context.channel.isActive else { return }
            conduct.deadline.closeSoon(context)
            context.close(mode: .output, promise: nil)
        }
    }

    /// Answers in the place of both paths, and ends the connection.
    private func refuse(_ error: any Error, _ context: ChannelHandlerContext) {
        self.persistence = .closes
        let id = RequestIdentity.of(self.head?.headers.first(name: "x-request-id"))
        let problem = Problem.of(error, requestID: id, logger: self.logger)
        var answer = problem.answer(requestID: id)
        answer.complete(requestID: id, date: self.date())
        self.write(context: context, data: Self.wrapOutboundOut(.head(answer.head)), promise: nil)
        let body = Self.wrapOutboundOut(.body(answer.bytes))
        if self.head?.method != .HEAD { self.write(context: context, data: body, promise: nil) }
        self.write(context: context, data: Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}

extension RequestConduct {
    // MARK: Events

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyEvent else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if self.owesContinue, self.answer == .owed {
            self.owesContinue = false
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
        }
        promise?.succeed()
    }

    /// Closes a silent connection, unless the client waits for an answer. One that reads no answers is closed too. An
    /// answer may end long after the last byte was read; the connection then stays until the next such event.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        let isAtRest = self.answer == .complete && context.eventLoop.now - self.restsSince >= self.keepAlive
        if self.isReading || isAtRest || !context.channel.isWritable { context.close(promise: nil) }
    }

    /// Bytes that are not HTTP end the connection. In a body, the path that has the request answers. A close in the
    /// middle of a head is an error of the parser too, and nobody can be answered then.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !self.isOver, context.channel.isActive else { return }
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        self.persistence = .closes
        switch (self.isReading, self.answer) {
        case (false, .complete): self.refuse(self.refusal(of: error), context)
        case (true, .owed): context.fireErrorCaught(error)
        case (true, .complete):
            self.leave()
            self.closeOutput(when: context.eventLoop.makeSucceededVoidFuture(), context)
        case (_, .begun), (false, .owed): break
        }
    }

    private func refusal(of error: HTTPParserError) -> any Error {
        guard error == .invalidMethod, let bytes = self.deadline.firstBytes, RequestLine.isWellFormed(bytes) else {
            return error
        }
        return Problem.unknownMethod
    }
}
