// SPDX-License-Identifier: Apache-2.0
// A key may ask so often in a minute, and its answers say what is left.

import Testing

@testable import Web

@Suite struct QuotaTests {
    private static func quota(_ requests: Int) -> Quota {
        var policy = Quota.Policy()
        policy.requests = requests
        return Quota(policy)
    }

    @Test func `the last request that may be is answered, and the next is told when to come again`() throws {
        let (quota, now) = (Self.quota(3), ContinuousClock.now)
        #expect(try (0..<3).map { _ in try quota.take("k", at: now).remaining } == [2, 1, 0])
        let problem = #expect(throws: Problem.self) { try quota.take("k", at: now + .seconds(10)) }
        #expect(problem?.status == 429 && problem?.code == "quota_exceeded" && problem?.retryAfter == 50)
        #expect(try quota.take("other", at: now).remaining == 2, "another key has its own")
        #expect(try quota.take("k", at: now + .seconds(60)).remaining == 2, "a new window has begun")
    }

    @Test func `the fields say the policy and what is left of it`() throws {
        let quota = Self.quota(600)
        let fields = quota.fields(try quota.take("k"))
        #expect(fields.map(\.name) == ["ratelimit-policy", "ratelimit"])
        #expect(fields.map(\.value) == ["\"key\";q=600;w=60", "\"key\";r=599;t=60"])
    }
}
