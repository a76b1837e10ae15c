// SPDX-License-Identifier: Apache-2.0
// What cannot be prevented is found: late creates, vanished credentials, names nobody knows; and what must not be touched is not.

import Composition
import Foundation
import Model
import NIOHTTP1
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

    @Test func aKeyOfAnotherOrganisationMakesNothingVanish() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.database.admin.script(
                "update dialtone.credentials set created_at = now() - interval '1 hour', missing_since = now() - interval '1 hour'"
            )
            try await Story.withOtherProvider { other in
                for _ in 0..<3 {
                    let report = try await story.sweep(toTheEnd: false, at: other)
                    #expect(report.reprovisioned == 0 && report.listed == 0)
                }
            }
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
            for number in 1...8 { try await story.signUp("u\(number)") }
            let names = try await story.rows("select name from dialtone.credentials")
            for number in 1...8 { _ = try await story.send("user.deleted", "u\(number)", delivery: "d\(number)") }
            try await story.until("select 1 having (select count(*) from dialtone.users where status = 'revoked') = 8")
            for name in names { try await story.make(name: name, tag: "acme") }
            let report = try await story.sweep()
            #expect(report.stopped == ["acme"] && report.surplus == 0)
            #expect(try await story.providerIDs().count == 8)
            #expect(try await story.sweep { $0.isConfirmed = true }.surplus == 8)
            try await story.untilAtRest()
            #expect(try await story.providerIDs().isEmpty)
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
}
