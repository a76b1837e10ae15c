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
        self.deadline.requestEnded(isAnswered: true)
        self.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(self.channel.isActive)
        // The next request has a deadline of its own.
        try self.channel.writeInbound(ByteBuffer(string: "G"))
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(61))
        #expect(!self.channel.isActive)
    }

    /// The handler's context, which the pipeline knows.
    private var context: ChannelHandlerContext {
        get throws { try self.channel.pipeline.syncOperations.context(handler: self.deadline) }
    }

    @Test func `a body has its time from the first byte of the request, however its head came`() throws {
        try self.channel.writeInbound(ByteBuffer(string: "POST"))
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        try self.channel.writeInbound(ByteBuffer(string: " / …"))
        try self.deadline.headCame(self.context)
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(88))
        #expect(self.channel.isActive)
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!self.channel.isActive)
    }

    @Test func `a request that has waited behind another one has its time from its turn on`() throws {
        try self.channel.writeInbound(ByteBuffer(string: "GET / … POST / …"))
        self.deadline.requestEnded(isAnswered: false)
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(600))
        try self.channel.writeInbound(ByteBuffer(string: "a"))
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(600))
        #expect(self.channel.isActive, "an answer is owed")
        self.deadline.answered()
        try self.deadline.headCame(self.context)
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(89))
        #expect(self.channel.isActive)
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!self.channel.isActive)
    }

    @Test func `an empty line between requests begins none`() throws {
        try self.channel.writeInbound(ByteBuffer(string: "GET"))
        self.deadline.requestEnded(isAnswered: true)
        try self.channel.writeInbound(ByteBuffer(string: "\r\n"))
        self.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(self.channel.isActive)
        _ = try self.channel.finish()
    }
}
