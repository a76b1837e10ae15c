// SPDX-License-Identifier: Apache-2.0
// A credential that was missed is replaced only when it is proven to be gone, and is left alone when it is there.

import Model
import Postgres
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct MissingCredentialsTests {
    private static let id = ProviderID(rawValue: "p")
    private static let witness = ProviderID(rawValue: "witness")

    @Test func `a missing credential is replaced when it is gone and another one answers`() async throws {
        try await Self.withMissing { bed in
            let outcome = try await Self.ask(on: ScriptedProvider { $0.there = [Self.witness] }, bed)
            #expect(outcome == .replaced)
            let user = try await bed.database.admin.query(
                "select generation, status from dialtone.users where user_id = 'user-1'"
            ).first
            #expect(try #require(user).decode(Generation.self, String.self) == (2 as Generation, "pending"))
            let job = try await bed.database.admin.query("select generation, state from dialtone.jobs").first
            #expect(
                try #require(job).decode(Generation.self, String.self) == (2 as Generation, "in_doubt"),
                "it looks first")
            #expect(try await bed.database.count("dialtone.credentials where status = 'deleted'") == 1)
        }
    }

    @Test func `a key that sees no credential at all replaces none`() async throws {
        try await Self.withMissing { bed in
            let outcome = try await Self.ask(on: ScriptedProvider { _ in }, bed)
            #expect(outcome == .unproven)
            #expect(try await bed.database.count("dialtone.credentials where missing_since is not null") == 1)
            #expect(try await bed.database.count("dialtone.jobs") == 0)
        }
    }

    @Test func `a missing credential that is there again is missing no more`() async throws {
        try await Self.withMissing { bed in
            let outcome = try await Self.ask(on: ScriptedProvider { $0.there = [Self.id] }, bed)
            #expect(outcome == .found)
            #expect(try await bed.database.count("dialtone.credentials where missing_since is not null") == 0)
            #expect(try await Self.ask(on: ScriptedProvider { _ in }, bed) == .nothingDue)
        }
    }

    /// Creates settle before a second 404 counts.
    @Test func `a credential that was missed just now is not asked for yet`() async throws {
        try await Self.withMissing { bed in
            try await bed.database.admin.script(
                "update dialtone.credentials set missing_since = now() where missing_since is not null")
            #expect(try await Self.ask(on: ScriptedProvider { $0.there = [Self.witness] }, bed) == .nothingDue)
        }
    }

    /// Lends a ready user whose credential was missed an hour ago, and another user's credential.
    private static func withMissing(_ work: (JobRunBed) async throws -> Void) async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(Ledger.user(status: .ready), Ledger.credential(Self.id))
            try await bed.database.admin.script(
                "update dialtone.credentials set missing_since = now() - interval '1 hour'")
            try await bed.own(Self.witness.rawValue)
            try await work(bed)
        }
    }

    private static func ask(
        on api: ScriptedProvider, _ bed: JobRunBed
    ) async throws -> MissingCredentials.Outcome {
        let provider = GuardedProvider(api: api, limits: bed.limits)
        let missing = MissingCredentials(
            pool: bed.database.pool, provider: provider,
            witness: Witness(pool: bed.database.pool, provider: provider), settle: .seconds(40))
        var place = MissingCredentials.Place()
        return try await missing.askNext(after: &place)
    }
}
