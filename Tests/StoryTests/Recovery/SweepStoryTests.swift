// SPDX-License-Identifier: Apache-2.0
// The sweep finds what cannot be prevented: late creates, leftovers, lost commits. It leaves alone what is not ours.

import Composition
import Foundation
import Model
import Onboarding
import Postgres
import TestSupport
import Testing

@Suite struct SweepStoryTests {
    // MARK: Surplus

    @Test func `a create that lands after all looks is deleted`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            let owned = try await story.activeID()
            try await story.provider.make(name: try await story.credentialName(of: "u"), tag: "acme")
            #expect(try await story.provider.ids().count == 2)
            let look = try await story.sweep { $0.isDryRun = true }
            // A worker's visit may be first, here and below.
            #expect(look.surplus <= 1 && look.surplusDeleted == 0, "a dry run changes nothing")
            let report = try await story.sweep()
            #expect(report.surplus <= 1 && report.isFull)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids() == [owned])
        }
    }

    @Test func `a leftover of a revoked user is deleted`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            let name = try await story.credentialName(of: "u")
            _ = try await story.send(.deleted, "u", delivery: "d")
            try await story.waitUntil("u", is: .revoked)
            try await story.provider.make(name: name, tag: "acme")
            // A worker's visit may be first.
            #expect(try await story.sweep().surplus <= 1)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids().isEmpty)
        }
    }

    /// A job between its 201 and its commit: the credential that the sweep lists is the job's to record.
    @Test func `a credential that a job is about to record is not surplus`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            let id = try await story.activeID()
            try await story.forgetCommit(of: "u", worker: UUID(), lease: 5)
            let report = try await story.sweep(toTheEnd: false)
            #expect(report.surplus == 0 && report.evidence == 1)
            try await story.waitUntil("u", is: .ready)
            #expect(try await story.activeID() == id)
        }
    }

    // MARK: Too much to change

    @Test func `a sweep that would change too much stops and asks`() async throws {
        try await Story.with(Story.quick) { story in
            try await Self.leaveEightOfRevokedUsers(story)
            let report = try await story.sweep()
            #expect(report.stopped == ["acme"] && report.surplus == 0)
            #expect(try await story.provider.ids().count == 8)
            #expect(try await story.sweep { $0.isConfirmed = true }.surplus == 8)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids().isEmpty)
        }
    }

    /// The owner's own credential was seen in the same list, so the delete of a second one takes nothing away.
    @Test func `many second credentials are deleted without asking`() async throws {
        try await Story.with(Story.quick) { story in
            for number in 1...8 { try await story.signUp("u\(number)") }
            let before = try await story.provider.ids().sorted()
            for name in try await story.credentialNames() { try await story.provider.make(name: name, tag: "acme") }
            let report = try await story.sweep()
            #expect(report.stopped.isEmpty && report.surplus == 8)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids().sorted() == before)
        }
    }

    @Test func `a stopped tag does not keep all other creates looking first`() async throws {
        try await Story.with(Story.quick) { story in
            try await Self.leaveEightOfRevokedUsers(story)
            try await story.distrustLedger()
            try await story.waitUntilLedgerIsTrusted()
            #expect(try await story.provider.ids().count == 8)
        }
    }

    /// More than a sweep may delete of one tag by itself.
    private static func leaveEightOfRevokedUsers(_ story: Story) async throws {
        for number in 1...8 { try await story.signUp("u\(number)") }
        let names = try await story.credentialNames()
        for number in 1...8 { _ = try await story.send(.deleted, "u\(number)", delivery: "d\(number)") }
        try await story.waitUntil(8, are: .revoked)
        for name in names { try await story.provider.make(name: name, tag: "acme") }
    }

    // MARK: A rest

    /// The workers' visits are held back, so that none of them has a witness meanwhile.
    @Test func `the status shows that visits rest and have no witness, until one has`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.holdVisits(true)
            try await story.database.admin.script(
                """
                update dialtone.tenant_tags set listed_at = now() - interval '1 hour';
                update dialtone.provider_limits set paused_until = now() + interval '10 minutes', reason = 'no witness'
                where scope = 'kind:sweep'
                """)
            let resting = try await story.administration.sweepStatus()
            #expect(resting.no_witness && (500...600).contains(resting.rests_for_seconds ?? 0))
            let report = try await story.sweep()
            #expect(report.failedLists == 0 && report.listed == 1, "an operator's sweep goes on")
            let proven = try await story.administration.sweepStatus()
            #expect(!proven.no_witness && proven.rests_for_seconds != nil)
        }
    }

    // MARK: Unknown names

    @Test func `unknown names are counted and left alone`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.provider.make(name: try await Self.strayName(story), tag: "acme")
            try await story.provider.make(name: "somebody else's", tag: "acme")
            let report = try await story.sweep { $0.isConfirmed = true }
            #expect(report.strays == 1 && report.foreign == 1 && report.surplus == 0)
            #expect(try await story.provider.ids().count == 3)
        }
    }

    @Test func `strays are deleted at an operator's word`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.provider.make(name: try await Self.strayName(story), tag: "acme")
            #expect(try await story.sweep(toTheEnd: false) { $0.deletesStrays = true }.strays == 1)
            #expect(try await story.provider.ids().count == 2, "a record that began before has time to end")
            try await story.database.admin.script(
                "update dialtone.surplus set doomed_at = doomed_at - interval '2 minutes'")
            try await story.until("select 1 from dialtone.surplus where user_id is null and deleted_at is not null")
            #expect(try await story.provider.ids() == [try await story.activeID()])
        }
    }

    /// A name of this installation that belongs to no user. The user `u` must have signed up.
    private static func strayName(_ story: Story) async throws -> String {
        let own = try await story.credentialName(of: "u")
        return String(own.prefix(12)) + String(repeating: "a", count: 52)
    }

    // MARK: A ledger that has forgotten

    /// A tenant younger than the backup is made again, so it is not seen, and its sender repeats its sign-ups.
    @Test func `a tenant that a backup has forgotten adopts the credentials that are there`() async throws {
        try await Story.with(Story.quick) { story in
            let id = try #require(
                UUID(uuidString: try await story.rows("select id::text from dialtone.installation")[0]))
            let name = CredentialName(installation: id).name(for: try Story.user("u"), generation: 1)
            try await story.provider.make(name: name, tag: "acme")
            let before = try await story.provider.ids()
            // Not earlier: a visit that lists the tag before the credential is there gives trust again.
            try await story.database.insert(Ledger.unseen)
            try await story.signUp("u")
            #expect(try await story.provider.ids() == before)
            #expect(try await story.activeID() == before.first)
        }
    }

    @Test func `tags opened after the backup are found and their credentials adopted`() async throws {
        try await Story.with(Story.quick.merging(["DIALTONE_TAG_CAPACITY": "2"]) { $1 }) { story in
            for number in 1...6 { try await story.signUp("u\(number)") }
            // The ledger of before: no user, no credential, one tag. The sign-ups will come again.
            try await story.database.admin.script(
                """
                delete from dialtone.credentials; delete from dialtone.users; delete from dialtone.events;
                delete from dialtone.tenant_tags where shard > 1
                """)
            let report = try await story.sweep()
            #expect(report.strays == 6, "reported, and never deleted")
            let before = try await story.provider.ids().sorted()
            for number in 1...6 { try await story.signUp("u\(number)") }
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids().sorted() == before, "each was looked for and found")
            #expect(try await story.activeIDs() == before)
        }
    }

    /// The ledger has lost the commit that opened generation 2, while generation 1 is in doubt.
    @Test func `a credential of a later generation is adopted when its turn comes`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.rotate("u", overlap: .seconds(3600))
            try await story.waitUntilCredential(2, of: "u", is: .active)
            let ids = try await story.provider.ids()
            try await story.putInDoubt(
                "u",
                after: "delete from dialtone.jobs", "delete from dialtone.credentials where generation = 2",
                "update dialtone.credentials set status = 'active', close_after = null",
                "update dialtone.users set generation = 1")
            #expect(try await story.sweep(toTheEnd: false).evidence == 1)
            try await story.makeJobsDue()
            try await story.waitUntilCredential(2, of: "u", is: .active)
            let adopted = try #require(try await story.providerID(of: "u", generation: 2))
            #expect(ids.contains(adopted), "adopted, not made again")
        }
    }

    @Test func `a user who failed without a fault of their own is tried again`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.provider.loses(try await story.activeID())
            try await story.database.insert(
                "delete from dialtone.credentials", "update dialtone.users set status = 'failed'",
                Ledger.deadJob(
                    of: try Story.user("u"), reason: "too_many_attempts", mayExist: true, dueIn: .milliseconds(200)))
            try await story.waitUntil("u", is: .ready)
            #expect(try await story.looks(for: "u") == 1, "a credential that may have been made is looked for")
            #expect(try await story.provider.ids() == [try await story.activeID()])
        }
    }
}
