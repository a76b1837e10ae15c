// SPDX-License-Identifier: Apache-2.0
// A tag's slots come back: when a credential is deleted, and when one that was to be made never was.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct TagShardTests {
    /// Two credentials a tag.
    private static let small = Story.quick.merging(["DIALTONE_TAG_CAPACITY": "2"]) { $1 }

    @Test func `an emptied tag is used again before a new one is opened`() async throws {
        try await Story.with(Self.small) { story in
            for user in ["a", "b", "c"] { try await story.signUp(user) }
            #expect(try await story.tags() == [.init("acme", holds: 2), .init("acme.2", holds: 1)])
            for user in ["a", "b"] {
                _ = try await story.send(.deleted, user, delivery: "gone-\(user)", at: Date() + 1)
            }
            try await story.waitUntilAtRest()
            #expect(try await story.tags() == [.init("acme", holds: 0), .init("acme.2", holds: 1)])
            for user in ["d", "e"] { try await story.signUp(user) }
            #expect(
                try await story.tags() == [.init("acme", holds: 1), .init("acme.2", holds: 2)], "no third tag")
            #expect(try await story.activeTags() == ["c": "acme.2", "d": "acme.2", "e": "acme"])
        }
    }

    @Test func `a slot taken for a create that never was is given back`() async throws {
        try await Story.with(Self.small) { story in
            try await story.signUp("a")
            try await story.provider.refuses(.create, with: 422, times: 2)
            _ = try await story.send(.created, "b", delivery: "b")
            try await story.waitUntil("b", is: .failed)
            #expect(try await story.tags() == [.init("acme", holds: 1)])
        }
    }

    /// The right count is what the ledger and its jobs hold or what the provider holds, whichever is more.
    @Test func `the sweep corrects a wrong count of a tag's slots`() async throws {
        try await Story.with(Self.small) { story in
            try await story.signUp("a")
            try await story.database.admin.script("update dialtone.tenant_tags set held = 2")
            _ = try await story.sweep(toTheEnd: false)
            #expect(try await story.tags() == [.init("acme", holds: 1)])
            try await story.provider.make(name: "somebody else's", tag: "acme")
            _ = try await story.sweep(toTheEnd: false)
            #expect(try await story.tags() == [.init("acme", holds: 2)])
        }
    }

    /// `tenant_tags.held` of one tag.
    fileprivate struct Tag: Equatable {
        let name: String
        let holds: Int32

        init(_ name: String, holds: Int32) {
            self.name = name
            self.holds = holds
        }
    }
}

extension Story {
    /// The tags, in the order in which they were opened.
    fileprivate func tags() async throws -> [TagShardTests.Tag] {
        try await self.database.admin.query("select tag, held from dialtone.tenant_tags order by shard").map {
            let (name, held) = try $0.decode(String.self, Int32.self)
            return TagShardTests.Tag(name, holds: held)
        }
    }

    /// The tag of each user's active credential.
    fileprivate func activeTags() async throws -> [String: String] {
        var tags: [String: String] = [:]
        for row in try await self.database.admin.query(
            "select user_id, tag from dialtone.credentials where status = 'active'"
        ) {
            let (user, tag) = try row.decode(String.self, String.self)
            tags[user] = tag
        }
        return tags
    }
}
