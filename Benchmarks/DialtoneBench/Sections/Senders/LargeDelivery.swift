// SPDX-License-Identifier: Apache-2.0
// One delivery of ten thousand items, and another tenant's sign-ups while it is written.

import Foundation

struct LargeDelivery: Encodable {
    var items: Int
    /// Seconds to its answer.
    var seconds: Double
    var neighbourIdle: Victim
    var neighbour: Victim

    static func measure(on ground: SenderStage, port: Int) async throws -> LargeDelivery {
        let beside = AttackGround(
            stage: ground.stage, key: "", victimPath: ground.neighbour.path, victimSecret: ground.neighbour.secret)
        let idle = try Victim(of: beside, first: 0, port: port, seconds: 5)
        let items = 10_000
        let request = SenderRequests.members(items, path: ground.list.path, secret: ground.list.secret)
        let (endings, ending) = AsyncStream<Result<HookLoad, any Error>>.makeStream()
        // A thread of its own, because both loads wait in system calls.
        Thread.detachNewThread {
            usleep(500_000)
            ending.yield(Result { try HookLoad([request], port: port, connections: 1, seconds: 60) })
            ending.finish()
        }
        let victim = try Victim(of: beside, first: 1_000_000, port: port, seconds: 6)
        var seconds = 0.0
        for await result in endings {
            let load = try result.get()
            guard load.accepted == 1 else { throw BenchError.refused("the large delivery: \(load.others)") }
            seconds = load.seconds
        }
        return LargeDelivery(items: items, seconds: seconds.rounded2, neighbourIdle: idle, neighbour: victim)
    }
}
