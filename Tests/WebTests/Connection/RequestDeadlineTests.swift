// SPDX-License-Identifier: Apache-2.0
// A request that trickles in is cut off; a complete request and the pause after it are not.

import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite struct RequestDeadlineTests {
    private let channel = EmbeddedChannel()
    private let deadline = RequestDeadline(.seconds(60))

    init() throws {
        try self.channel.pipeline.syncOperations.addHandler(self.deadline)
        try self.channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
    }

    @Test func `a request that trickles in is cut off after 60 seconds`() throws {
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
