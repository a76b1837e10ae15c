// SPDX-License-Identifier: Apache-2.0
// The service behind PgBouncer in transaction mode: told of it the story works, not told of it no process starts.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite(
    .enabled(
        if: PrivatePgBouncer.isInstalled,
        "PgBouncer is not installed, so nothing is tested behind a pooler; `scripts/setup` installs it")
)
struct PgBouncerTests {
    @Test func `behind a pooler a sign-up becomes a credential and a token, and a deletion takes both away`()
        async throws
    {
        try await PooledPlace.with { place in
            try await place.run { story in
                #expect(try await story.send(.created, "u-1", delivery: "msg_1").status == 202)
                #expect(try await story.loginToken(for: "u-1", wait: 20).status == 200)
                #expect(try await story.credentials(of: "u-1") == [.init(1, .active)])
                let read = try await story.request(
                    .GET, "/v1/tenants/acme/users/u-1", "", ["authorization": "Bearer \(story.key)"])
                #expect(read.status == 200, "\(read.body)")

                #expect(try await story.send(.deleted, "u-1", delivery: "msg_2").status == 202)
                try await story.waitUntil("u-1", is: .revoked)
                #expect(try await story.loginToken(for: "u-1").status == 410)
                #expect(try await story.provider.live() == 0)
            }
        }
    }

    /// The pooler has four server sessions. A setting or a prepared statement that a transaction leaves in one of them
    /// meets another user's transaction.
    @Test func `behind a pooler thirty users get one credential each`() async throws {
        try await PooledPlace.with { place in
            try await place.run { story in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...30 {
                        group.addTask {
                            try await story.send(.created, "u-\(number)", delivery: "msg_\(number)").status
                        }
                    }
                    for try await status in group { #expect(status == 202) }
                }
                try await story.waitUntil(30, are: .ready)
                #expect(try await story.provider.live() == 30)
                #expect(try await story.provider.callsInAll() == .init(creates: 30, deletes: 0))
            }
        }
    }

    @Test(arguments: PrivatePgBouncer.Options.allCases)
    func `a service that is not told of its pooler does not start and names DIALTONE_POOLER`(
        options: PrivatePgBouncer.Options
    ) async throws {
        try await PooledPlace.with(options: options) { place in
            let settings = try await place.settingsWithoutPooler()
            let error = await #expect(throws: (any Error).self) {
                try await Story.withNode(settings) { address in Issue.record("it listens on \(address)") }
            }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains("DIALTONE_POOLER"), "\(text)")
            #expect(!text.contains("sesame"), "the message shows the password")
        }
    }

    @Test(arguments: PrivatePgBouncer.Options.allCases)
    func `a check that is not told of the pooler fails and names DIALTONE_POOLER`(
        options: PrivatePgBouncer.Options
    ) async throws {
        try await PooledPlace.with(options: options) { place in
            let lines = try await Administration(place.settingsWithoutPooler()).check(provider: false)
            let problems = lines.compactMap(\.problem)
            #expect(problems.contains { $0.contains("DIALTONE_POOLER") }, "\(problems)")
        }
    }
}
