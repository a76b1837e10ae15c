// SPDX-License-Identifier: Apache-2.0
// What cannot be prevented is found: late creates, vanished credentials, names nobody knows; and what must not be
// touched is not.

import Composition
import Foundation
import Model
import NIOHTTP1
import Onboarding
import Postgres
import TestSupport
import Testing

@Suite struct SweepStoryTests {
    private static let quick = [
        "DIALTONE_HTTP_DEADLINE": "2s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "8s",
    ]

    @Test func aCreateThatLandsAfterAllLooksIsDeleted() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let owned = try await story.activeID()
            let name = try await story.rows("select name from dialtone.credentials")[0]
            try await story.make(name: name, tag: "acme")
            #expect(try await story.providerIDs().count == 2)
            let look = try await story.sweep { $0.isDryRun = true }
            #expect(look.surplus == 1 && look.surplusDeleted == 0)
            #expect(try await story.providerIDs().count == 2, "a dry run changes nothing")
            let report = try await story.sweep()
            #expect(report.surplus == 1 && report.isFull)
            try await story.untilAtRest()
            #expect(try await story.providerIDs() == [owned])
        }
    }

    @Test func whatIsLeftOfAUserWhoIsGoneIsDeleted() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let name = try await story.rows("select name from dialtone.credentials")[0]
            _ = try await story.send("user.deleted", "u", delivery: "d")
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            try await story.make(name: name, tag: "acme")
            #expect(try await story.sweep().surplus == 1)
            try await story.untilAtRest()
            #expect(try await story.providerIDs().isEmpty)
        }
    }

    @Test func aVanishedCredentialIsReplacedAfterTwoLooks() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.signUp("witness")
            let gone = try await story.rows("select provider_id from dialtone.credentials where user_id = 'u'")[0]
            _ = try await story.raw(
                .DELETE, "", "", ["authorization": "Bearer test-key"],
                url: story.providerURL + "/v2/telephony_credentials/\(gone)")
            try await story.database.admin.script(
                "update dialtone.credentials set created_at = now() - interval '1 hour'")
            let first = try await story.sweep(toTheEnd: false)
            #expect(first.missing == 1 && first.reprovisioned == 0)
            try await story.database.admin.script(
                "update dialtone.credentials set missing_since = missing_since - interval '1 hour'")
            #expect(try await story.sweep(toTheEnd: false).reprovisioned == 1)
            try await story.untilAtRest()
            let rows = try await story.rows(
                "select generation || status from dialtone.credentials where user_id = 'u' order by generation")
            #expect(rows == ["1deleted", "2active"])
            #expect(try await story.providerIDs().count == 2)
        }
    }

    /// The oldest credential of all is its tenant's only one, and gone: another tenant's says that this is the account.
    @Test func aMissingCredentialDoesNotSpeakForItself() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let gone = try await story.activeID()
            try await story.make(name: "somebody's", tag: "beta")
            let other = try #require(try await story.providerIDs().first { $0 != gone })
            _ = try await story.raw(
                .DELETE, "", "", ["authorization": "Bearer test-key"],
                url: story.providerURL + "/v2/telephony_credentials/\(gone)")
            try await story.database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id) values ('beta', '2');
                insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                values ('beta', 'v', 'live', 1, 'ready', now());
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index)
                values ('beta', 'v', 1, '\(other)', 'somebody''s', 'beta', 'active', '', '', decode(repeat('00', 16), 'hex'));
                update dialtone.credentials
                set created_at = now() - case when tenant_id = 'acme' then interval '2 hours' else interval '1 hour' end
                """)
            let first = try await story.sweep(toTheEnd: false)
            #expect(first.missing == 1 && first.unproven == 0)
            try await story.database.admin.script(
                "update dialtone.credentials set missing_since = missing_since - interval '1 hour'")
            #expect(try await story.sweep(toTheEnd: false).reprovisioned == 1)
            try await story.until(
                "select 1 from dialtone.users where user_id = 'u' and status = 'ready' and generation = 2")
        }
    }

    /// The only credential there was is gone, so nothing can say that the account is the right one: an operator does.
    @Test func anOperatorsWordStandsInForAWitness() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let gone = try await story.activeID()
            _ = try await story.raw(
                .DELETE, "", "", ["authorization": "Bearer test-key"],
                url: story.providerURL + "/v2/telephony_credentials/\(gone)")
            try await story.database.admin.script(
                "update dialtone.credentials set created_at = now() - interval '1 hour'")
            let unsaid = try await story.sweep(toTheEnd: false)
            #expect(unsaid.unproven == 1 && unsaid.missing == 0 && !unsaid.isPlausible)
            let said = try await story.sweep(toTheEnd: false) { $0.believesAbsence = true }
            #expect(said.missing == 1 && said.isPlausible)
            try await story.database.admin.script(
                "update dialtone.credentials set missing_since = missing_since - interval '1 hour'")
            #expect(try await story.sweep(toTheEnd: false) { $0.believesAbsence = true }.reprovisioned == 1)
            try await story.until("select 1 from dialtone.users where status = 'ready' and generation = 2")
            #expect(try await story.providerIDs() == [try await story.activeID()])
        }
    }

    /// A tenant younger than the backup is made again, and its sender says again what it said: what is there is
    /// adopted.
    @Test func aTenantThatABackupHasForgottenIsLookedForFirst() async throws {
        try await Story.with(Self.quick) { story in
            try await story.database.admin.script("update dialtone.incarnation set change = 'restore'")
            let id = try #require(
                UUID(uuidString: try await story.rows("select id::text from dialtone.installation")[0]))
            let user = UserKey(tenant: try TenantID("acme"), user: try UserID("u"))
            try await story.make(name: CredentialName(installation: id).name(for: user, generation: 1), tag: "acme")
            let before = try await story.providerIDs()
            try await story.signUp("u")
            #expect(try await story.providerIDs() == before)
            #expect(try await story.activeID() == before.first)
        }
    }

    @Test func aKeyOfAnotherOrganisationMakesNothingVanish() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            // Swept first, and nothing of it is at the provider: it must not count as seen either.
            try await story.database.admin.script(
                "insert into dialtone.tenants (tenant_id, connection_id) values ('aaa', '1')")
            try await story.database.admin.script(
                """
                update dialtone.credentials
                set created_at = now() - interval '1 hour', missing_since = now() - interval '1 hour'
                """)
            // The server has changed besides: what such a run sees must not end the distrust.
            try await story.database.admin.script(
                """
                update dialtone.sweep set started_at = now();
                update dialtone.incarnation set looks_first = true; update dialtone.tenants set swept_under = null
                """)
            try await Story.withOtherProvider { other in
                for _ in 0..<3 {
                    let report = try await story.sweep(toTheEnd: false, at: other)
                    #expect(report.reprovisioned == 0 && report.listed == 0)
                    #expect(report.expected == 1 && report.seen == 0 && report.unproven == 1 && !report.isFull)
                }
            }
            #expect(try await story.rows("select 'x' from dialtone.incarnation where looks_first").count == 1)
            #expect(
                try await story.rows("select tenant_id from dialtone.tenants where swept_under is not null").isEmpty)
            _ = try await story.sweep()
            #expect(try await story.rows("select 'x' from dialtone.incarnation where looks_first").isEmpty)
            #expect(
                try await story.rows("select user_id from dialtone.users where generation = 1 and status = 'ready'")
                    == ["u"])
        }
    }

    @Test func unknownNamesAreCountedAndLeftAlone() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let name = try await story.rows("select name from dialtone.credentials")[0]
            try await story.make(name: String(name.prefix(12)) + String(repeating: "a", count: 52), tag: "acme")
            try await story.make(name: "somebody else's", tag: "acme")
            let report = try await story.sweep { $0.isConfirmed = true }
            #expect(report.strays == 1 && report.foreign == 1 && report.surplus == 0)
            #expect(try await story.providerIDs().count == 3)
        }
    }

    @Test func aRunThatWouldChangeTooMuchStopsAndAsks() async throws {
        try await Story.with(Self.quick) { story in
            try await Self.leaveEightOfUsersWhoAreGone(story)
            let report = try await story.sweep()
            #expect(report.stopped == ["acme"] && report.surplus == 0)
            #expect(try await story.providerIDs().count == 8)
            #expect(try await story.sweep { $0.isConfirmed = true }.surplus == 8)
            try await story.untilAtRest()
            #expect(try await story.providerIDs().isEmpty)
        }
    }

    /// Deleting a second one takes nothing from anybody whose own was seen in the same list: that needs no asking.
    @Test func manySecondCredentialsGoWithoutAsking() async throws {
        try await Story.with(Self.quick) { story in
            for number in 1...8 { try await story.signUp("u\(number)") }
            let before = try await story.providerIDs().sorted()
            for name in try await story.rows("select name from dialtone.credentials") {
                try await story.make(name: name, tag: "acme")
            }
            let report = try await story.sweep()
            #expect(report.stopped.isEmpty && report.surplus == 8)
            try await story.untilAtRest()
            #expect(try await story.providerIDs().sorted() == before)
        }
    }

    /// One tenant's tag that would change too much does not keep all others looking first.
    @Test func aStoppedTagKeepsNobodyElseWaiting() async throws {
        try await Story.with(Self.quick) { story in
            try await Self.leaveEightOfUsersWhoAreGone(story)
            try await story.database.admin.script(
                "update dialtone.incarnation set looks_first = true; update dialtone.tenants set swept_under = null")
            try await story.until("select 1 from dialtone.incarnation where not looks_first")
            #expect(try await story.providerIDs().count == 8)
        }
    }

    /// A job between its 201 and its commit: what the sweep lists is the job's to record, not surplus.
    @Test func whatAJobIsAboutToRecordIsNotSurplus() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let id = try await story.activeID()
            try await story.database.admin.script(
                """
                delete from dialtone.credentials;
                update dialtone.users set status = 'pending';
                insert into dialtone.jobs (id, tenant_id, user_id, generation, vt, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                values (gen_random_uuid(), 'acme', 'u', 1, 1, now(), now(), 'armed', 1, gen_random_uuid(),
                        now() + interval '5 seconds', 'acme')
                """)
            let report = try await story.sweep(toTheEnd: false)
            #expect(report.surplus == 0 && report.evidence == 1)
            try await story.until("select 1 from dialtone.users where status = 'ready'")
            #expect(try await story.activeID() == id)
        }
    }

    /// The ledger has lost the commit that opened a generation, while the one before is in doubt.
    @Test func whatWasSeenOfALaterGenerationIsLookedForWhenItsTurnComes() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let key = UserKey(tenant: try TenantID("acme"), user: try UserID("u"))
            _ = try await Administration(story.settings).rotate(key, overlap: .seconds(3600))
            try await story.until("select 1 from dialtone.credentials where generation = 2 and status = 'active'")
            let ids = try await story.providerIDs().sorted()
            try await story.database.admin.script(
                """
                delete from dialtone.jobs;
                delete from dialtone.credentials where generation = 2;
                update dialtone.credentials set status = 'active', close_after = null;
                update dialtone.users set generation = 1;
                insert into dialtone.jobs (id, tenant_id, user_id, generation, vt, run_at, enqueued_at, state, in_doubt,
                                           quiet_until, tag)
                values (gen_random_uuid(), 'acme', 'u', 1, 1, now() + interval '1 hour', now(), 'in_doubt', true, now(), 'acme')
                """)
            #expect(try await story.sweep(toTheEnd: false).evidence == 1)
            try await story.database.admin.script("update dialtone.jobs set run_at = now()")
            try await story.until("select 1 from dialtone.credentials where generation = 2 and status = 'active'")
            let made = try await story.rows("select provider_id from dialtone.credentials where generation = 2")
            #expect(made.allSatisfy(ids.contains), "adopted, not made again")
        }
    }

    @Test func whoFailedForNoFaultOfTheirsIsTriedAgain() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let id = try await story.activeID()
            _ = try await story.raw(
                .DELETE, "", "", ["authorization": "Bearer test-key"],
                url: story.providerURL + "/v2/telephony_credentials/\(id)")
            try await story.database.admin.script(
                """
                delete from dialtone.credentials;
                update dialtone.users set status = 'failed';
                insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, maybe_created, epoch, attempts,
                                                died_at)
                values (gen_random_uuid(), 'acme', 'u', 1, 'too_many_attempts', true, 1, 20, now() - interval '59 minutes')
                """)
            #expect(try await story.sweep(toTheEnd: false).revived == 0)
            try await story.database.admin.script(
                "update dialtone.dead_jobs set died_at = died_at - interval '2 minutes'")
            #expect(try await story.sweep(toTheEnd: false).revived == 1)
            try await story.until("select 1 from dialtone.users where status = 'ready'")
            #expect(
                try await story.rows("select 'x' from dialtone.job_log where to_state = 'looking'").count >= 2,
                "one that may have been made is looked for twice")
            #expect(try await story.providerIDs() == [try await story.activeID()])
        }
    }

    @Test func anOperatorsWordDeletesWhatIsNobodys() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let name = try await story.rows("select name from dialtone.credentials")[0]
            try await story.make(name: String(name.prefix(12)) + String(repeating: "a", count: 52), tag: "acme")
            #expect(try await story.sweep { $0.deletesStrays = true }.strays == 1)
            #expect(try await story.providerIDs().count == 1)
            #expect(try await story.rows("select provider_id from dialtone.strays").isEmpty)
        }
    }

    @Test func tagsOpenedAfterTheBackupAreFoundAndTheirCredentialsAdopted() async throws {
        try await Story.with(Self.quick.merging(["DIALTONE_TAG_CAPACITY": "2"]) { $1 }) { story in
            for number in 1...6 { try await story.signUp("u\(number)") }
            // The ledger of before: no user, no credential, one tag. The sign-ups will come again.
            try await story.database.admin.script(
                """
                delete from dialtone.credentials; delete from dialtone.users; delete from dialtone.events;
                delete from dialtone.tenant_tags where shard > 1
                """)
            let report = try await story.sweep()
            #expect(report.strays == 6, "reported, and never deleted")
            let before = try await story.providerIDs().sorted()
            for number in 1...6 { try await story.signUp("u\(number)") }
            try await story.untilAtRest()
            #expect(try await story.providerIDs().sorted() == before, "each was looked for and found")
            let rows = try await story.rows("select provider_id from dialtone.credentials where status = 'active'")
            #expect(rows.sorted() == before)
        }
    }

    /// More than a sweep may delete of one tag by itself.
    private static func leaveEightOfUsersWhoAreGone(_ story: Story) async throws {
        for number in 1...8 { try await story.signUp("u\(number)") }
        let names = try await story.rows("select name from dialtone.credentials")
        for number in 1...8 { _ = try await story.send("user.deleted", "u\(number)", delivery: "d\(number)") }
        try await story.until("select 1 having (select count(*) from dialtone.users where status = 'revoked') = 8")
        for name in names { try await story.make(name: name, tag: "acme") }
    }
}
