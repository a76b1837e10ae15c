// SPDX-License-Identifier: Apache-2.0
// The check from outside, `scripts/check-ledger`: it agrees when both sides do, and names who does not.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct CheckLedgerTests {
    @Test func itAgreesAndNamesWhatDiffers() async throws {
        try await Story.with(["DIALTONE_TAG_CAPACITY": "2"]) { story in
            for number in 1...5 { try await story.signUp("u-\(number)") }
            _ = try await story.send("user.deleted", "u-5", delivery: "gone")
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            let agreed = try await Self.check(story)
            #expect(agreed.agrees && agreed.users == 5 && agreed.wanted == 4 && agreed.at_provider == 4)
            #expect(agreed.fullest_tag.holds == 2 && agreed.account == 4 && agreed.under_no_known_tag == 0)
            let name = try await story.rows("select name from dialtone.credentials where user_id = 'u-1'")[0]
            try await story.make(name: name, tag: "acme.3")
            let second = try await Self.check(story)
            #expect(!second.agrees && second.findings.contains("acme/u-1 has 2 at the provider"))
            try await story.database.admin.script(
                "update dialtone.credentials set provider_id = 'nobody' where user_id = 'u-2'")
            let lost = try await Self.check(story)
            #expect(lost.findings.contains("acme/u-2: the provider does not have nobody"))
        }
    }

    @Test func itLooksBesideTheTagsOfUsersToo() async throws {
        try await Story.with(["DIALTONE_TAG_CAPACITY": "2"]) { story in
            for number in 1...3 { try await story.signUp("u-\(number)") }
            #expect(try await Self.check(story, ["--cap", "2"]).agrees)
            let full = try await Self.check(story, ["--cap", "1"])
            #expect(full.findings == ["tag acme holds 2, more than 1"] && !full.agrees)

            try await story.make(name: "somebody else's", tag: "elsewhere")
            let shared = try await Self.check(story)
            #expect(shared.agrees && shared.account == 4 && shared.under_no_known_tag == 1)

            // A tenant none of whose users are known, and a tag that nobody knows.
            _ = try await Administration(story.settings).createTenant(TenantID("globex"), connectionID: "1000000002")
            let ours = try await story.rows("select left(name, 12) || 'lost' from dialtone.credentials limit 1")[0]
            try await story.make(name: ours, tag: "globex")
            #expect(try await Self.check(story).findings == ["\(ours) is at the provider and not in the ledger"])
            try await story.make(name: "\(ours)-2", tag: "elsewhere")
            let findings = try await Self.check(story).findings
            #expect(findings.contains("\(ours)-2 is under no tag that the ledger knows"))
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
        var findings: [String]
        var agrees: Bool
    }

    private static func check(_ story: Story, _ options: [String] = []) async throws -> Report {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appendingPathComponent("scripts/check-ledger")
        process.arguments = options + [story.database.url, "\(story.providerURL)/v2"]
        process.environment = ProcessInfo.processInfo.environment.merging(["TELNYX_API_KEY": "test-key"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        let report = try JSONDecoder().decode(Report.self, from: output.fileHandleForReading.availableData)
        #expect(report.agrees == (status == 0))
        return report
    }
}
