// SPDX-License-Identifier: Apache-2.0
// Whatever goes wrong at the provider during a create, the user ends with exactly one credential, and both sides agree.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct FaultStoryTests {
    @Test(
        arguments: [
            .lostAnswer, .errorAfterCommit, .garbage, .empty500, .rateLimited,
            .lateCreate(milliseconds: 1500), .delay(milliseconds: 2500), .listLag(milliseconds: 500),
            .refusal(with: 408), .refusal(with: 409), .refusal(with: 503), .refusal(with: 302), .refusal(with: 425),
            .refusal(with: 200), .refusal(with: 202),
        ] as [ProviderFault])
    func `a user ends with exactly one credential, whatever goes wrong`(_ fault: ProviderFault) async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.misbehaves(fault)
            _ = try await story.send(.created, "u-1", delivery: "msg_1")
            try await story.waitUntil("u-1", is: .ready)
            #expect(try await story.credentials(of: "u-1") == [.init(1, .active)])
            let held = try await story.provider.credentials()
            let (id, name) = (try await story.activeID(), try await story.credentialName(of: "u-1"))
            #expect(held.map(\.id) == [id] && held.map(\.name) == [name])
            #expect(try await story.provider.callsPerName() == [.init(creates: 1, deletes: 0)])
            #expect(try await story.jobCount() == 0)
        }
    }

    @Test func `a refusal of the job's own fields ends it with the provider's words`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.refuses(.create, with: 422, times: 2)
            _ = try await story.send(.created, "u-1", delivery: "msg_1")
            try await story.waitUntil("u-1", is: .failed)
            let words = try await story.rows(
                "select words from dialtone.jobs where state = 'dead' and words <> '' and provider_code <> ''")
            #expect(words.count == 1)
            #expect(try await story.loginToken(for: "u-1").status == 409)
        }
    }

    /// Nothing is under way, so only a claim can fail. The next claim is made all the same.
    @Test func `a worker whose connections were cut goes on`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("before")
            for _ in 1...5 {
                try await story.cutConnections()
                _ = try await story.database.admin.query("select pg_sleep(0.3)::text")
            }
            var status = 0
            while status != 202 {
                status = try await story.send(.created, "after", delivery: "after").status
            }
            try await story.waitUntil("after", is: .ready)
        }
    }

    @Test func `a tenant spreads over tags that are never fuller than allowed`() async throws {
        try await Story.with(["DIALTONE_TAG_CAPACITY": "4"]) { story in
            for number in 1...10 { _ = try await story.send(.created, "u-\(number)", delivery: "msg_\(number)") }
            try await story.waitUntil(10, are: .ready)
            let tags = try await story.credentialsPerTag()
            #expect(tags.values.allSatisfy { $0 <= 4 } && tags.values.reduce(0, +) == 10)
            #expect(tags.keys.allSatisfy { $0 == "acme" || $0.hasPrefix("acme.") })
        }
    }
}
