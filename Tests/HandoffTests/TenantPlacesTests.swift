// SPDX-License-Identifier: Apache-2.0
// The requests of one tenant take that tenant's places: those that wait, and those that read the database.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Handoff

@Suite struct TenantPlacesTests {
    @Test func `one tenant's waiting requests leave places for another tenant, and all have a limit`() throws {
        let waiting = WaitingRequests(maximum: 5, maximumOfTenant: 3)
        let (acme, globex, third) = (try TenantID("acme"), try TenantID("globex"), try TenantID("third"))
        for _ in 0..<3 { #expect(waiting.enter(acme)) }
        #expect(!waiting.enter(acme), "the tenant has its full number")
        for _ in 0..<2 { #expect(waiting.enter(globex)) }
        #expect(!waiting.enter(third), "all places are taken")
        waiting.leave(acme)
        #expect(waiting.enter(third) && !waiting.enter(acme))
        waiting.leave(globex)
        #expect(waiting.enter(acme))
    }

    @Test func `a tenant with its full number of reads is told to come again, and another gets its token`() async throws
    {
        try await HandoffBed.with(["acme": ["u"], "globex": ["g"]]) { handoff, _, database in
            try await database.admin.script("begin; lock table dialtone.users")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 { group.addTask { _ = try await handoff.token(at: HandoffBed.noon) } }
                while database.pool.counts.leased + database.pool.counts.waiting < 64 { await Task.yield() }
                await #expect(throws: HandoffError.tooManyRequests(retryAfter: 1)) {
                    try await handoff.token(at: HandoffBed.noon)
                }
                group.addTask { _ = try await handoff.token(at: HandoffBed.noon, user: "g", of: "globex") }
                while database.pool.counts.leased + database.pool.counts.waiting < 65 { await Task.yield() }
                try await database.admin.script("commit")
                try await group.waitForAll()
            }
        }
    }
}
