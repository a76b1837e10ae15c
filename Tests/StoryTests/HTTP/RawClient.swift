// SPDX-License-Identifier: Apache-2.0
// A client that sends bytes as they are, waits as some libraries do, and reads the answers one by one.

import Foundation
import NIOCore
import NIOPosix
import Testing

final class RawClient {
    struct Answer: Equatable {
        let status: Int
        let head: String
        let body: String

        /// The value of a field; `name` in lower case.
        func field(_ name: String) -> String? {
            self.head.split(separator: "\r\n").dropFirst().lazy
                .map { $0.split(separator: ":", maxSplits: 1) }
                .first { $0.count == 2 && $0[0].lowercased() == name }
                .map { $0[1].trimmingCharacters(in: .whitespaces) }
        }
    }

    private let parts: AsyncStream<String>
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var text = ""

    private init(_ parts: AsyncStream<String>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) {
        self.parts = parts
        self.outbound = outbound
    }

    /// Lends a connection to the service and closes it.
    static func with(_ address: String, _ work: (RawClient) async throws -> Void) async throws {
        let port = try #require(URL(string: address)?.port)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            let (parts, part) = AsyncStream<String>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // A connection that is reset ends as one that is closed.
                    do { for try await bytes in inbound { part.yield(String(buffer: bytes)) } } catch {}
                    part.finish()
                }
                try await work(RawClient(parts, outbound))
                group.cancelAll()
            }
        }
    }

    func send(_ bytes: String) async throws { try await self.outbound.write(ByteBuffer(string: bytes)) }

    /// Returns the next answer, which may be 100. Nil when the service has closed its side. `isHead`: the request was
    /// HEAD, so that no body follows.
    func answer(isHead: Bool = false) async throws -> Answer? {
        while !self.text.contains("\r\n\r\n") {
            guard await self.readMore() else { return nil }
        }
        let end = try #require(self.text.range(of: "\r\n\r\n"))
        let head = String(self.text[..<end.lowerBound])
        self.text = String(self.text[end.upperBound...])
        let status = try #require(Int(head.dropFirst("HTTP/1.1 ".count).prefix(3)))
        let answer = Answer(status: status, head: head, body: "")
        guard !isHead, status >= 200, status != 204 else { return answer }
        let length = try #require(answer.field("content-length").flatMap { Int($0) }, "\(head)")
        while self.text.utf8.count < length {
            let isMore = await self.readMore()
            try #require(isMore, "the body is cut")
        }
        let body = String(decoding: self.text.utf8.prefix(length), as: UTF8.self)
        self.text = String(decoding: self.text.utf8.dropFirst(length), as: UTF8.self)
        return Answer(status: status, head: head, body: body)
    }

    private func readMore() async -> Bool {
        for await part in self.parts {
            self.text += part
            return true
        }
        return false
    }

    /// Returns whether the connection answers another request, or the service has closed it.
    func goesOn() async throws -> Bool {
        do {
            try await self.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
            return try await self.answer()?.status == 200
        } catch is IOError {
            return false
        } catch is ChannelError {
            return false
        }
    }
}
