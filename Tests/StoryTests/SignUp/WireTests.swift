// SPDX-License-Identifier: Apache-2.0
// Webhooks byte by byte: several requests on one connection, cut anywhere, are answered in their order by either lane.

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Postgres
import TestSupport
import Testing

@Suite struct WireTests {
    @Test func requestsOfBothLanesAreAnsweredInTheirOrder() async throws {
        try await Story.with { story in
            // The first fills the source cache, so that the next go the short way.
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

    @Test func aConnectionThatEndsAfterItsRequestIsAnswered() async throws {
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

    /// Its delivery belongs to the writer; only the answer is lost.
    @Test func whatASenderSentBeforeItLeftIsStored() async throws {
        try await Story.with { story in
            _ = try await story.wire([story.hook("first")])
            // The commit waits for this lock, so the sender is gone before it.
            try await story.database.admin.script("begin; lock table dialtone.jobs in exclusive mode")
            try await story.leave(after: story.hook("gone"))
            try await story.database.admin.script("commit")
            try await story.until("select 1 from dialtone.users where user_id = 'gone' and status = 'ready'")
            #expect(try await story.wire([story.hook("gone")]) == [200], "known when it comes again")
        }
    }

    @Test func oneDeliveryOfSeveralUsersIsAnsweredWithEach() async throws {
        try await Story.with { story in
            let body = #"{"type":"user.created","data":[{"user_id":"a"},{"user_id":"b"}]}"#
            let headers = HTTPHeaders(try story.signed(body, id: "msg_two").map { ($0.name, $0.value) })
            let first = try await story.raw(.POST, story.hookPath, body, headers)
            #expect(first.status == 202)
            #expect(first.body.contains(#""items":[{"event_id":""#) && first.body.contains(#""status":"accepted"}]}"#))
            try await story.until(
                "select 1 from dialtone.users where status = 'ready' and user_id in ('a', 'b') having count(*) = 2")
            #expect(try await story.raw(.POST, story.hookPath, body, headers).status == 200)
            let more = #"{"type":"user.created","data":[{"user_id":"a"},{"user_id":"c"}]}"#
            let others = HTTPHeaders(try story.signed(more, id: "msg_two").map { ($0.name, $0.value) })
            #expect(try await story.raw(.POST, story.hookPath, more, others).status == 409)
        }
    }

    @Test func whatIsNotHTTPIsRefusedAndTheConnectionClosed() async throws {
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
            POST \(self.hookPath) HTTP/1.1\r\nhost: a\r\n\(more)\(headers)content-length: \(body.utf8.count)\r\n\r\n\(body)
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

    /// Sends the pieces, each flushed alone, then half-closes, and answers the statuses of all answers until the end.
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
