// SPDX-License-Identifier: Apache-2.0
// The check from outside, `scripts/check-ledger`: it agrees when both sides do, and names every difference.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

/// The node has stopped before anything is compared, because its own walk would find what a test adds.
@Suite struct CheckLedgerTests {
    private static let small = ["DIALTONE_TAG_CAPACITY": "2"]

    @Test func `the check agrees with both sides and names every difference`() async throws {
        try await Story.with(Self.small) { story in
            for number in 1...5 { try await story.signUp("u-\(number)") }
            _ = try await story.send(.deleted, "u-5", delivery: "gone")
            try await story.waitUntil("u-5", is: .revoked)
        } stopped: { story in
            let agreed = try await Self.check(story)
            #expect(agreed.agrees && agreed.users == 5 && agreed.wanted == 4 && agreed.at_provider == 4)
            #expect(agreed.fullest_tag.holds == 2 && agreed.account == 4 && agreed.under_no_known_tag == 0)
            try await story.provider.make(name: try await story.credentialName(of: "u-1"), tag: "acme.3")
            let second = try await Self.check(story)
            #expect(!second.agrees && second.findings.contains("acme/u-1 has 2 at the provider"), "\(second)")
            try await story.database.admin.script(
                "update dialtone.credentials set provider_id = 'nobody' where user_id = 'u-2'")
            let lost = try await Self.check(story)
            #expect(lost.findings.contains("acme/u-2: the provider does not have nobody"), "\(lost)")
        }
    }

    @Test func `the check looks beside the tags of users too`() async throws {
        try await Story.with(Self.small) { story in
            for number in 1...3 { try await story.signUp("u-\(number)") }
        } stopped: { story in
            #expect(try await Self.check(story, ["--cap", "2"]).agrees)
            let full = try await Self.check(story, ["--cap", "1"])
            #expect(full.findings == ["tag acme holds 2, more than 1"] && !full.agrees)

            try await story.provider.make(name: "somebody else's", tag: "elsewhere")
            let shared = try await Self.check(story)
            #expect(shared.agrees && shared.account == 4 && shared.under_no_known_tag == 1)

            // A tenant none of whose users are known, and a tag that the ledger does not know.
            _ = try await story.administration.createTenant(TenantID("globex"), connectionID: "1000000002")
            let ours = String(try await story.credentialName(of: "u-1").prefix(12)) + "lost"
            try await story.provider.make(name: ours, tag: "globex")
            #expect(try await Self.check(story).findings == ["\(ours) is at the provider and not in the ledger"])
            try await story.provider.make(name: "\(ours)-2", tag: "elsewhere")
            let findings = try await Self.check(story).findings
            #expect(findings.contains("\(ours)-2 is under no tag that the ledger knows"))
        }
    }

    @Test func `what another installation has in our tags is counted and is no finding`() async throws {
        try await Story.with(Self.small) { story in
            for number in 1...2 { try await story.signUp("u-\(number)") }
        } stopped: { story in
            for name in ["dt-aaaaaaaa-theirs", "somebody else's"] {
                try await story.provider.make(name: name, tag: "acme")
            }
            let report = try await Self.check(story)
            #expect(report.agrees && report.others == 2 && report.at_provider == 2, "\(report)")
            #expect(report.compared.hasPrefix("2 credentials of the ledger with "), "\(report)")
            #expect(report.compared.contains("and its whole account"), "\(report)")
            let part = try await Self.check(story, ["--account-pages", "0"])
            #expect(part.agrees && part.account == nil && part.compared.contains("--account-pages"), "\(part)")
        }
    }

    private struct Report: Decodable {
        struct Tag: Decodable { var holds: Int }
        var users: Int
        var wanted: Int
        var at_provider: Int
        var fullest_tag: Tag
        var account: Int?
        var under_no_known_tag: Int
        var others: Int
        var compared: String
        var findings: [String]
        var agrees: Bool
    }

    private static func check(_ story: Story, _ options: [String] = []) async throws -> Report {
        let (status, output) = try await OutsideProgram.run(
            OutsideProgram.repository.appendingPathComponent("scripts/check-ledger"),
            options + [story.database.url, "\(story.provider.url)/v2"],
            environment: ["TELNYX_API_KEY": story.provider.key])
        let report = try JSONDecoder().decode(Report.self, from: output)
        #expect(report.agrees == (status == 0))
        return report
    }
}
