// SPDX-License-Identifier: Apache-2.0
// The operator's terminal obeys nothing that a sender or the provider has chosen.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct TerminalTests {
    /// No sender can store such an id. Somebody who can write the database can.
    private static let insert: SQL = """
        insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
        values ('acme', \("a\u{9b}2J\u{202e}b\u{2028}c\nd"), 'live', 'pending', now())
        """

    @Test func `a hidden character of a user id is escaped in tables, and read back from JSON`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Self.insert)
            let key = try await Program.run(["vault", "keygen"]).output.trimmingCharacters(in: .newlines)
            let environment = ["DATABASE_URL": database.url, "DIALTONE_KEK": "env:KEK", "KEK": key]
            let table = try await Program.run(["user", "list", "--tenant", "acme"], environment)
            #expect(table.code == 0 && table.output.contains(#"a\u{9b}2J\u{202e}b\u{2028}c\u{a}d"#), "\(table)")
            #expect(table.output.split(separator: "\n").count == 2, "\(table)")
            let json = try await Program.run(["user", "list", "--tenant", "acme", "--json"], environment)
            #expect(json.output.contains(#"a\u009b2J\u202eb\u2028c\nd"#), "\(json)")
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            let user = (object?["data"] as? [[String: Any]])?.first
            #expect(user?["user_id"] as? String == "a\u{9b}2J\u{202e}b\u{2028}c\nd")
        }
    }

    @Test func `a hidden character in an argument is escaped where an error quotes it`() async throws {
        let ended = try await Program.run(["user\u{9b}2J\u{202e}"])
        #expect(ended.code == 2 && !ended.errors.unicodeScalars.contains("\u{9b}"), "\(ended)")
        #expect(ended.errors.contains(#"user\u{9b}2J\u{202e}"#), "\(ended)")
    }
}
