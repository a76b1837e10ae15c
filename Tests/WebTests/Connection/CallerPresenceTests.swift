// SPDX-License-Identifier: Apache-2.0
// Work that only its caller needs ends when that caller leaves, and goes on while the caller stays.

import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite struct CallerPresenceTests {
    @Test func `work ends when its caller leaves`() async {
        let presence = CallerPresence(grace: .zero)
        let (begun, begins) = AsyncStream<Void>.makeStream()
        let (ended, ends) = AsyncStream<Void>.makeStream()
        let request = Task {
            try await presence.required {
                begins.yield()
                try await withTaskCancellationHandler {
                    try await Task.sleep(for: .seconds(3600))
                } onCancel: {
                    ends.yield()
                }
            }
        }
        for await _ in begun { break }
        presence.left()
        for await _ in ended { break }
        await #expect(throws: CallerHasLeft.self) { try await request.value }
    }

    @Test func `a caller who left before the work began waits for nothing`() async {
        let presence = CallerPresence(grace: .zero)
        presence.left()
        await #expect(throws: CallerHasLeft.self) {
            try await presence.required { try await Task.sleep(for: .seconds(3600)) }
        }
    }

    @Test func `a caller who has closed only its own side gets what is done soon`() async throws {
        let presence = CallerPresence(grace: .seconds(3600))
        presence.left()
        let answer = try await presence.required { 7 }
        #expect(answer == 7)
    }

    @Test func `one connection's requests follow each other, and errors of the work pass through`() async throws {
        let presence = CallerPresence()
        for number in 0..<3 {
            let answer = try await presence.required { number }
            #expect(answer == number)
        }
        await #expect(throws: Problem.notFound) {
            try await presence.required { () async throws -> Int in throw Problem.notFound }
        }
        let alone = try await CallerPresence.required { 1 }
        #expect(alone == 1, "without a connection the work just runs")
    }

    @Test(arguments: [true, false])
    func `a connection that ends tells that its caller has left`(isHalf: Bool) async throws {
        let presence = CallerPresence(grace: .zero)
        try Self.endConnection(of: presence, isHalf: isHalf)
        await #expect(throws: CallerHasLeft.self) {
            try await presence.required { try await Task.sleep(for: .seconds(3600)) }
        }
    }

    /// Makes a connection and closes it, or the client's side of it alone.
    private static func endConnection(of presence: CallerPresence, isHalf: Bool) throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(CallerWatch(presence))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        if isHalf {
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            _ = try channel.finish()
        }
    }
}
