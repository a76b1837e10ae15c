// SPDX-License-Identifier: Apache-2.0
// A tag's slots come back: when a credential is deleted, and when one that was to be made never was.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct TagShardTests {
    private static let settings = [
        "DIALTONE_HTTP_DEADLINE": "2s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "8s",
        "DIALTONE_TAG_CAPACITY": "2",
    ]

    @Test func anEmptiedTagIsUsedAgainBeforeANewOneIsOpened() async throws {
        try await Story.with(Self.settings) { story in
            for user in ["a", "b", "c"] { try await story.signUp(user) }
            #expect(try await Self.held(story) == ["acme 2", "acme.2 1"])
            for user in ["a", "b"] {
                _ = try await story.send("user.deleted", user, delivery: "gone-\(user)", at: Date() + 1)
            }
            try await story.untilAtRest()
            #expect(try await Self.held(story) == ["acme 0", "acme.2 1"])
            for user in ["d", "e"] { try await story.signUp(user) }
            #expect(try await Self.held(story) == ["acme 1", "acme.2 2"], "no third tag")
            let tags = try await story.rows(
                "select user_id || ' ' || tag from dialtone.credentials where status = 'active' order by user_id")
            #expect(tags == ["c acme.2", "d acme.2", "e acme"])
        }
    }

    @Test func aSlotTakenForACreateThatNeverWasIsGivenBack() async throws {
        try await Story.with(Self.settings) { story in
            try await story.signUp("a")
            try await story.fault("status", times: 2, "\"status\":422")
            _ = try await story.send("user.created", "b", delivery: "b")
            try await story.until("select 1 from dialtone.users where user_id = 'b' and status = 'failed'")
            #expect(try await Self.held(story) == ["acme 1"])
        }
    }

    /// A count that went wrong is put right by the sweep: what the ledger, its jobs or the provider hold, whichever is
    /// more.
    @Test func theSweepCountsAnew() async throws {
        try await Story.with(Self.settings) { story in
            try await story.signUp("a")
            try await story.database.admin.script("update dialtone.tenant_tags set held = 2")
            _ = try await story.sweep(toTheEnd: false)
            #expect(try await Self.held(story) == ["acme 1"])
            try await story.make(name: "somebody else's", tag: "acme")
            _ = try await story.sweep(toTheEnd: false)
            #expect(try await Self.held(story) == ["acme 2"])
        }
    }

    private static func held(_ story: Story) async throws -> [String] {
        try await story.rows("select tag || ' ' || held from dialtone.tenant_tags order by shard")
    }
}
