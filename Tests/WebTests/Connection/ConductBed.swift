// SPDX-License-Identifier: Apache-2.0
// A connection without a socket: the parser and its conduct, and behind them a route that answers every request.

import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import Web

struct ConductBed {
    let channel: EmbeddedChannel
    let route: StandInRoute

    /// Lends a connection, and ends it.
    static func with(answersAtHead: Bool = false, _ work: (ConductBed) throws -> Void) throws {
        let channel = EmbeddedChannel()
        let route = StandInRoute(answersAtHead: answersAtHead)
        let pipeline = channel.pipeline.syncOperations
        _ = try HTTPConnection.addHTTP(
            to: pipeline, times: RequestDeadline.Times(), activity: ConnectionActivity(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, date: { "today" })
        try pipeline.addHandler(route)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try work(ConductBed(channel: channel, route: route))
    }

    /// Sends the bytes in one read, and lets the event loop do what is due.
    func send(_ bytes: String) throws {
        try self.channel.writeInbound(ByteBuffer(string: bytes))
        self.channel.embeddedEventLoop.run()
    }

    /// What was written since the last time.
    func written() throws -> String {
        var text = ""
        while let bytes = try self.channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    /// The statuses of the answers since the last time, and whether the last one ends the connection.
    func answers() throws -> (statuses: [Int], closes: Bool) {
        let answers = try self.written().components(before: "HTTP/1.1 ")
        return (answers.compactMap { Int($0.prefix(3)) }, answers.last?.contains("connection: close") ?? false)
    }

    var isClosedSoon: Bool {
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(3))
        return !self.channel.isActive
    }
}

extension String {
    fileprivate func components(before mark: String) -> [Substring] {
        self.split(separator: mark, omittingEmptySubsequences: true)
    }
}

/// Answers `ok` to each request, when it is whole or at its head.
final class StandInRoute: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answersAtHead: Bool
    private(set) var paths: [String] = []
    private(set) var bodyBytes = 0
    private(set) var errors = 0

    init(answersAtHead: Bool) { self.answersAtHead = answersAtHead }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.paths.append(head.uri)
            if self.answersAtHead { self.answer(context) }
        case .body(let bytes): self.bodyBytes += bytes.readableBytes
        case .end: if !self.answersAtHead { self.answer(context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { self.errors += 1 }

    private func answer(_ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "2"])
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "ok")))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
