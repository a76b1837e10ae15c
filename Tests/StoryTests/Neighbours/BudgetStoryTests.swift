// SPDX-License-Identifier: Apache-2.0
// With a rate, every call to the provider has a permit out of the budget, whoever makes it.

import Composition
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct BudgetStoryTests {
    private struct Counts: Decodable {
        var requests: [String: Int]
    }

    @Test func `sign-ups, logins and deletes take no more calls than the budget has granted`() async throws {
        try await Story.with(Story.quick.merging(["DIALTONE_PROVIDER_RATE": "50"]) { $1 }) { story in
            try await story.until("select 1 from dialtone.provider_limits where rate = 50")
            // A node knows a new rate after a moment.
            var number = 0
            repeat {
                number += 1
                try await story.signUp("early-\(number)")
            } while try await story.rows(Self.ofCalls).isEmpty
            let (requests, granted) = (try await Self.requests(story), try await Self.granted(story))
            for user in ["a", "b", "c"] {
                try await story.signUp(user)
                #expect(try await story.loginToken(for: user).status == 200)
            }
            try await story.revoke("a")
            try await story.until("select 1 from dialtone.users where user_id = 'a' and status = 'revoked'")
            let (after, grantedAfter) = (try await Self.requests(story), try await Self.granted(story))
            for (operation, kind, least) in [("token", 0, 3), ("create", 1, 3), ("delete", 3, 1)] {
                let made = (after[operation] ?? 0) - (requests[operation] ?? 0)
                #expect(made >= least && grantedAfter[kind] - granted[kind] >= made, "\(operation)")
            }
        }
    }

    /// The limit has 40 calls in a minute. When less than half is left, the rest is spread.
    @Test func `without a rate the provider's headers tell one, and no call is refused`() async throws {
        try await Story.with(Story.quick) { story in
            let limit = "{\"calls\":40,\"seconds\":60}"
            try #require(try await story.provider.control(.PUT, "limit", limit).status == 200)
            var number = 0
            repeat {
                number += 1
                try await story.signUp("u-\(number)")
            } while try await story.rows(Self.ofCalls).isEmpty && number < 100
            let limits = try await story.administration.limits()
            #expect(limits.contains { $0.scope == "kind:jobs" && ($0.learned_rate ?? 0) > 0 }, "\(limits)")
            #expect(limits.allSatisfy { $0.wait_seconds == nil }, "nothing is paused")
        }
    }

    /// The sweep's pace has slices too, also without a rate.
    private static let ofCalls: SQL = "select scope from dialtone.provider_budget where scope <> 'sweep'"

    private static func requests(_ story: Story) async throws -> [String: Int] {
        try await story.provider.control(.GET, "counts").decode(Counts.self).requests
    }

    private static func granted(_ story: Story) async throws -> [Int] {
        let sums = try await story.database.admin.query(
            """
            select array(select coalesce(sum(granted[kind]), 0)::int
                         from (select granted from dialtone.provider_budget where scope = 'account') budget
                         right join generate_series(1, 5) kind on true group by kind order by kind)
            """
        ).first?.decode([Int32].self)
        return (sums ?? []).map(Int.init)
    }
}
