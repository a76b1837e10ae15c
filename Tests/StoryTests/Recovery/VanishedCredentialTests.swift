// SPDX-License-Identifier: Apache-2.0
// A credential that the provider no longer has is replaced, once it is proven that the account is the right one.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct VanishedCredentialTests {
    /// The sweep misses it, and a worker asks for it once more.
    @Test func `a vanished credential is replaced after a sweep and a second question`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.signUp("witness")
            let gone = try #require(try await story.providerID(of: "u"))
            try await story.provider.loses(gone)
            try await story.ageCredentials()
            let first = try await story.sweep(toTheEnd: false)
            #expect(first.missing == 1 && first.reprovisioned == 0)
            try await story.waitUntil("u", is: .ready, generation: 2)
            try await story.waitUntilAtRest()
            #expect(try await story.credentials(of: "u") == [.init(1, .deleted), .init(2, .active)])
            #expect(try await story.provider.ids().count == 2)
        }
    }

    /// The refused token tells that it is gone; no sweep is needed.
    @Test func `a vanished credential is replaced soon after a token was asked for`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.signUp("witness")
            try await story.provider.loses(try #require(try await story.providerID(of: "u")))
            #expect(try await story.loginToken(for: "u").status == 503)
            try await story.waitUntil("u", is: .ready, generation: 2)
            #expect(try await story.loginToken(for: "u").status == 200)
            #expect(try await story.generation(of: "witness") == 1)
            #expect(try await story.provider.ids().count == 2)
        }
    }

    /// The missing credential is the oldest of all and its tenant's only one. Another tenant's is there, which proves
    /// the account.
    @Test func `a missing credential is no witness for itself`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            let gone = try await story.activeID()
            try await story.provider.make(name: "somebody's", tag: "beta")
            let other = try #require(try await story.provider.ids().first { $0 != gone })
            try await story.provider.loses(gone)
            try await Self.addWitness(story, other)
            let first = try await story.sweep(toTheEnd: false)
            #expect(first.missing == 1 && first.unproven == 0)
            try await story.waitUntil("u", is: .ready, generation: 2)
        }
    }

    /// The only credential there was is gone, so nothing can prove that the account is the right one.
    @Test func `an operator's word stands in for a witness`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.provider.loses(try await story.activeID())
            try await story.ageCredentials()
            let unproven = try await story.sweep(toTheEnd: false)
            #expect(unproven.unproven == 1 && unproven.missing == 0 && !unproven.isPlausible)
            let believed = try await story.sweep { $0.believesAbsence = true }
            #expect(believed.reprovisioned == 1 && believed.missing == 0 && believed.isPlausible)
            try await story.waitUntil("u", is: .ready, generation: 2)
            #expect(try await story.provider.ids() == [try await story.activeID()])
        }
    }

    @Test func `a key of another organisation makes no credential vanish`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await Self.leaveOldAbsenceAndDistrust(story)
            try await Story.withSimulator { other in
                for _ in 0..<3 {
                    let report = try await story.sweep(toTheEnd: false, at: other)
                    #expect(report.reprovisioned == 0 && report.listed == 0)
                    #expect(report.expected == 1 && report.seen == 0 && report.unproven == 1 && !report.isFull)
                }
            }
            #expect(try await story.isLedgerDistrusted())
            let swept = try await story.rows("select tenant_id from dialtone.tenants where seen_era is not null")
            #expect(swept.isEmpty)
            _ = try await story.sweep()
            let isStillDistrusted = try await story.isLedgerDistrusted()
            #expect(!isStillDistrusted)
            #expect(try await story.generation(of: "u") == 1)
            #expect(try await story.users() == [.init("u", .live, .ready)])
            #expect(try await story.credentials(of: "u") == [.init(1, .active)])
        }
    }

    /// A ready user of the tenant `beta` who owns the credential `id`. It is younger than all others.
    private static func addWitness(_ story: Story, _ id: String) async throws {
        let beta = try TenantID("beta")
        let witness = UserKey(tenant: beta, user: try UserID("v"))
        try await story.database.insert(
            Ledger.tenant(beta, connection: "2"), Ledger.user(witness, status: .ready),
            Ledger.credential(
                ProviderID(rawValue: id), of: witness, name: "somebody's", tag: "beta", age: .seconds(3600)),
            "update dialtone.credentials set created_at = now() - interval '2 hours' where tenant_id = 'acme'")
    }

    /// All that would make a sweep with the wrong key do harm, if it believed what it sees.
    private static func leaveOldAbsenceAndDistrust(_ story: Story) async throws {
        // This tenant is swept first, and has nothing at the provider. It must not count as seen either.
        let aaa = try TenantID("aaa")
        try await story.database.insert(Ledger.tenant(aaa), Ledger.tag(of: aaa))
        try await story.database.admin.script(
            """
            update dialtone.credentials
            set created_at = now() - interval '1 hour', missing_since = now() - interval '1 hour'
            """)
        // The server has changed besides. A sweep with the wrong key must not end the distrust.
        try await story.database.admin.script(
            """
            update dialtone.tenant_tags set seen_era = null, due_at = now() + interval '1 hour';
            update dialtone.tenants set seen_era = null
            """)
    }
}
