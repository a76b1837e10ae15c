// SPDX-License-Identifier: Apache-2.0
// Near the limit the longest idle connection goes; one that is being served stays.

import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite struct OpenConnectionsTests {
    @Test func `a new connection above the limit closes the longest idle one, and none that is busy`() throws {
        let loop = EmbeddedEventLoop()
        let connections = OpenConnections(maximum: 3)
        var channels: [EmbeddedChannel] = []
        for second in 1...5 {
            let channel = EmbeddedChannel(loop: loop)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
            let activity = ConnectionActivity(now: .uptimeNanoseconds(UInt64(second) * 1_000_000_000))
            if second == 1 { activity.isBusy() }
            connections.add(channel, activity)
            loop.run()
            channels.append(channel)
        }
        #expect(channels.map(\.isActive) == [true, false, false, true, true])
        for channel in channels { _ = try channel.finish(acceptAlreadyClosed: true) }
    }

    /// A client in the middle of its work has its next request on the way.
    @Test(arguments: [(61, 0), (63, 0), (64, 1)])
    func `a connection that was in use a moment ago goes only when there is hardly any room`(
        count: Int, closed: Int
    ) throws {
        let loop = EmbeddedEventLoop()
        let connections = OpenConnections(maximum: 64)
        let now = NIODeadline.uptimeNanoseconds(60_000_000_000)
        let channels = try (0..<count).map { _ in
            let channel = EmbeddedChannel(loop: loop)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
            connections.add(channel, ConnectionActivity(now: now - .milliseconds(500)), now: now)
            loop.run()
            return channel
        }
        #expect(channels.count { !$0.isActive } == closed)
        for channel in channels { _ = try channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func `one that begins a request after it was chosen stays`() {
        let activity = ConnectionActivity(now: .uptimeNanoseconds(7))
        #expect(activity.idle == 7)
        #expect(activity.choose(idleSince: 7))
        #expect(activity.isStillChosen && activity.idle == nil)
        activity.isBusy()
        #expect(!activity.isStillChosen)
    }
}
