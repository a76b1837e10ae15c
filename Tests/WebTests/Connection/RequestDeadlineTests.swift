// SPDX-License-Identifier: Apache-2.0
// A connection that is silent at first or trickles is cut off; a complete request and the pause after it are not.

import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite struct RequestDeadlineTests {
    private let channel = EmbeddedChannel()
    private let deadline = RequestDeadline(.init(head: .seconds(60), request: .seconds(90)))

    init() throws {
        try self.channel.pipeline.syncOperations.addHandler(self.deadline)
        try self.channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
    }

    @Test func `a connection must send its first byte within 5 seconds`() throws {
        self.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4900))
        #expect(self.channel.isActive)
        self.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(!self.channel.isActive)
    }

    @Test func `a connection that has sent its first byte is not held to that time`() throws {
        try self.channel.writeInbound(ByteBuffer(string: "G"))
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(self.channel.isActive)
        _ = try self.channel.finish()
    }

    @Test func `a head that trickles in is cut off after 60 seconds`() throws {
        for _ in 0..<5 {
            try self.channel.writeInbound(ByteBuffer(string: "G"))
            self.channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        }
        #expect(self.channel.isActive, "55 seconds are not yet its time")
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!self.channel.isActive)
    }

    @Test func `a complete request ends its deadline, and the next request has its own`() throws {
        try self.channel.writeInbound(ByteBuffer(string: "GET"))
        self.deadline.requestEnded()
        self.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(self.channel.isActive)
        // The next request has a deadline of its own.
        try self.channel.writeInbound(ByteBuffer(string: "G"))
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(61))
        #expect(!self.channel.isActive)
    }
}
