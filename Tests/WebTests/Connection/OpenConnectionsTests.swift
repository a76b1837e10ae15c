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

    @Test func `one that begins a request after it was chosen stays`() {
        let activity = ConnectionActivity(now: .uptimeNanoseconds(7))
        #expect(activity.idle == 7)
        #expect(activity.choose(idleSince: 7))
        #expect(activity.isStillChosen && activity.idle == nil)
        activity.isBusy()
        #expect(!activity.isStillChosen)
    }
}
