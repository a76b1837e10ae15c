// SPDX-License-Identifier: Apache-2.0
// A request that trickles in is cut off; one that is whole, and the silence between two, are not.

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

    @Test func aTrickleIsCutOffAfterItsTime() throws {
        for _ in 0..<5 {
            try self.channel.writeInbound(ByteBuffer(string: "G"))
            self.channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        }
        #expect(self.channel.isActive, "55 seconds are not yet its time")
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!self.channel.isActive)
    }

    @Test func aWholeRequestMayBeAnsweredAtLeisure() throws {
        try self.channel.writeInbound(ByteBuffer(string: "GET"))
        self.deadline.requestEnded()
        self.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(self.channel.isActive)
        // The next request has its own time.
        try self.channel.writeInbound(ByteBuffer(string: "G"))
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(61))
        #expect(!self.channel.isActive)
    }
}
