// SPDX-License-Identifier: Apache-2.0
// A ledger brought back from before the last creates, with PostgreSQL itself: the credentials made since are adopted,
// never made again.

import Composition
import Foundation
import Model
import PrivatePostgres
import Testing

@Suite struct RestoreTests {
    /// The disk as it was, under the same server. The ledger looks as if the server had merely been restarted.
    @Test func `a restored snapshot of the disk is caught up by the webhooks that come again`() async throws {
        try await RestorePlace.with { place in
            try await place.withNode { node in
                try await node.signUp(1...2)
                try await node.waitUntilReady(2)
            }
            try await place.server.stop()
            let snapshot = place.folder.appendingPathComponent("snapshot")
            try await place.server.takeSnapshot(to: snapshot)
            try await place.server.startAgain()
            try await place.withNode { node in
                try await node.signUp(3...6)
                try await node.waitUntilReady(6)
                #expect(try await node.tagCount() >= 3, "shards were opened since")
            }
            let before = try await place.provider.ids().sorted()
            #expect(before.count == 6)
            try await place.server.stop(mode: "immediate")
            try await place.server.returnToSnapshot(in: snapshot)
            try await place.server.startAgain()
            try await place.withNode { node in
                #expect(try await node.userCount() == 2)
                let statuses = try await node.signUp(1...6)
                #expect(statuses == [200, 200, 202, 202, 202, 202])
                try await node.waitUntilReady(6)
                #expect(try await node.providerIDs() == before)
            }
            #expect(try await place.provider.ids().sorted() == before)
            #expect(try await place.provider.callsInAll() == .init(creates: 6, deletes: 0))
        }
    }

    /// The server goes on with the start, the system and the timeline that it had.
    @Test func `a dump loaded into the running server adopts what was made since`() async throws {
        try await RestorePlace.with { place in
            let dump = place.folder.appendingPathComponent("dialtone.sql")
            try await place.withNode { node in
                try await node.signUp(1...2)
                try await node.waitUntilReady(2)
            }
            try await place.server.dump("dialtone", to: dump)
            try await place.withNode { node in
                try await node.signUp(3...6)
                try await node.waitUntilReady(6)
            }
            try await place.loadAgain(dump)
            try await place.withNode { node in
                try await node.waitUntilMet("reload")
                #expect(try await node.userCount() == 2)
                try await node.signUp(1...6)
                try await node.waitUntilReady(6)
                #expect(try await node.providerIDs() == place.provider.ids().sorted())
            }
            #expect(try await place.provider.callsInAll() == .init(creates: 6, deletes: 0))
        }
    }

    /// The standby lacks the last commits, and its server has a timeline of its own after the promotion.
    @Test func `a standby that lacks the last commits adopts what was made since`() async throws {
        try await RestorePlace.with { place in
            try await place.withNode { node in
                try await node.signUp(1...2)
                try await node.waitUntilReady(2)
            }
            let standby = try await place.server.standby(in: place.folder.appendingPathComponent("standby"))
            standby.stopAtExit(removingData: true)
            try await standby.stop()
            try await place.withNode { node in
                try await node.signUp(3...6)
                try await node.waitUntilReady(6)
            }
            try await place.server.stop(mode: "immediate")
            let outcome: Result<Void, any Error>
            do {
                try await standby.startAgain()
                try await standby.promote()
                outcome = .success(
                    try await place.on(standby).withNode { node in
                        try await node.waitUntilMet("failover")
                        try await node.signUp(1...6)
                        try await node.waitUntilReady(6)
                        #expect(try await node.providerIDs() == place.provider.ids().sorted())
                    })
            } catch {
                outcome = .failure(error)
            }
            try await standby.stop(mode: "immediate")
            standby.remove()
            try await place.server.startAgain()
            try outcome.get()
            #expect(try await place.provider.callsInAll() == .init(creates: 6, deletes: 0))
        }
    }

    /// A dump read back on another system may be a clone.
    @Test func `a dump read back elsewhere adopts, and deletes nothing until an operator says what it is`()
        async throws
    {
        try await RestorePlace.with { place in
            let dump = place.folder.appendingPathComponent("dialtone.sql")
            try await place.withNode { node in
                try await node.signUp(1...2)
                try await node.waitUntilReady(2)
            }
            try await place.server.dump("dialtone", to: dump)
            try await place.withNode { node in
                try await node.signUp(3...6)
                try await node.waitUntilReady(6)
            }
            let before = try await place.provider.ids().sorted()
            let elsewhere = try await PrivatePostgres.start(in: place.folder.appendingPathComponent("elsewhere"))
            elsewhere.stopAtExit(removingData: true)
            let outcome: Result<Void, any Error>
            do {
                try await place.restore(dump, on: elsewhere)
                outcome = .success(try await place.on(elsewhere).withNode { try await Self.comeBack($0, before) })
            } catch {
                outcome = .failure(error)
            }
            try await elsewhere.stop(mode: "immediate")
            elsewhere.remove()
            try outcome.get()
            #expect(try await place.provider.callsInAll() == .init(creates: 6, deletes: 1))
        }
    }

    private static func comeBack(_ node: RestorePlace.RunningNode, _ before: [String]) async throws {
        try await node.waitUntilStopped()
        try await node.signUp(1...6)
        try await node.waitUntilReady(6)
        #expect(try await node.providerIDs() == before)
        try await node.send(.deleted, 1)
        try await node.waitUntilJob(of: "u-1", is: .scheduled)
        #expect(try await node.provider.ids().sorted() == before, "a clone would delete its original's credentials")
        try await node.administration.confirmInstallation(isClone: false)
        _ = try await node.administration.retry(try Story.user("u-1"))
        try await node.waitUntil("u-1", is: .revoked)
        #expect(try await node.provider.ids().count == 5)
    }
}
