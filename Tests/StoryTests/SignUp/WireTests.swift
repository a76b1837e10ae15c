// SPDX-License-Identifier: Apache-2.0
// Webhooks byte by byte: several requests on one connection, cut anywhere, are answered in their order by both lanes.

import Foundation
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Postgres
import TestSupport
import Testing

@Suite struct WireTests {
    @Test func `requests of both lanes are answered in their order`() async throws {
        try await Story.with { story in
            // The first fills the source cache, so that the next ones take the short way.
            let first = try await story.wire([story.hook("u-0")])
            #expect(first == [202])
            let health = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
            let unsigned = "POST \(story.hookPath) HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"
            let bytes = try [story.hook("u-1"), health, unsigned, story.hook("u-2"), story.hook("u-2")].joined()
            let atOnce = try await story.wire([bytes])
            #expect(atOnce == [202, 200, 401, 202, 200])
            let byteByByte = try await story.wire(bytes.map { String($0) })
            #expect(byteByByte == [200, 200, 401, 200, 200], "all deliveries are known by now")
        }
    }

    @Test func `a connection that ends after its request is answered`() async throws {
        try await Story.with { story in
            for number in 1...3 {
                for more in ["", "connection: close\r\n", "expect: 100-continue\r\n", "content-encoding: identity\r\n"]
                {
                    let statuses = try await story.wire([story.hook("u-\(number)-\(more.count)", more)])
                    #expect(statuses == [202], "\(more)")
                }
            }
        }
    }

    /// The delivery belongs to the writer, so only the answer is lost.
    @Test func `a delivery is stored although its sender has left`() async throws {
        try await Story.with { story in
            _ = try await story.wire([story.hook("first")])
            // The commit waits for this lock, so the sender is gone before it.
            try await story.database.admin.script("begin; lock table dialtone.jobs in exclusive mode")
            try await story.leave(after: story.hook("gone"))
            try await story.database.admin.script("commit")
            try await story.waitUntil("gone", is: .ready)
            #expect(try await story.wire([story.hook("gone")]) == [200], "known when it comes again")
        }
    }

    @Test func `bytes that are not HTTP are refused and the connection closed`() async throws {
        try await Story.with { story in
            let none = "POST \(story.hookPath) HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n{}"
            let two = "POST \(story.hookPath) HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"
            for bytes in ["GARBAGE\r\n\r\n", none, two] {
                let statuses = try await story.wire([bytes])
                #expect(statuses == [400])
                let after = try await story.wire([story.hook("u"), bytes])
                #expect(after.last == 400)
            }
        }
    }
}

extension Story {
    /// One signed sign-up as bytes. The delivery's id is the user's.
    fileprivate func hook(_ user: String, _ more: String = "") throws -> String {
        let body = "{\"type\":\"user.created\",\"data\":{\"user_id\":\"\(user)\"}}"
        let headers = try self.signed(body, id: "msg_\(user)").map { "\($0.name): \($0.value)\r\n" }.joined()
        return """
            POST \(self.hookPath) HTTP/1.1\r\nhost: a\r\n\(more)\(headers)\
            content-length: \(body.utf8.count)\r\n\r\n\(body)
            """
    }

    /// Sends the bytes and resets the connection without reading an answer.
    fileprivate func leave(after bytes: String) async throws {
        let port = try #require(URL(string: self.address)?.port)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(string: bytes))
        try await channel.close()
    }

    /// Sends the pieces, each flushed alone, then half-closes. Returns the statuses of all answers until the end.
    fileprivate func wire(_ pieces: [String]) async throws -> [Int] {
        let port = try #require(URL(string: self.address)?.port)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
            outbound.finish()
            var answers = ""
            for try await bytes in inbound { answers += String(buffer: bytes) }
            return answers.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }
        }
    }
}
