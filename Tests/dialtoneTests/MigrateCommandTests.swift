// SPDX-License-Identifier: Apache-2.0
// `dialtone migrate` and `serve` beside what holds them up: a second migrate, a stuck one, a database that is not there.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct MigrateCommandTests {
    @Test func `of two migrates at once one applies everything, and the other finds nothing to do`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let environment = ["DATABASE_URL": database.url]
            async let first = Program.run(["migrate"], environment)
            async let second = Program.run(["migrate"], environment)
            let ended = [try await first, try await second].sorted { $0.output.utf8.count < $1.output.utf8.count }
            #expect(ended.allSatisfy { $0.code == 0 }, "\(ended)")
            #expect(ended[0].output == "nothing to do: the schema is up to date\n")
            let applied = ended[1].output.split(separator: "\n")
            let versions = try await database.admin.query("select 1 from dialtone.schema_migrations")
            #expect(applied.count == versions.count && applied.allSatisfy { $0.hasPrefix("applied ") }, "\(applied)")
        }
    }

    @Test func `a migrate beside a stuck one ends after --wait with 1, and says whose lock it is`() async throws {
        try await TestDatabase.with { database in
            let holder = "process \(await database.admin.backendPID)"
            _ = try await database.admin.query(
                "select pg_advisory_lock(hashtextextended('dialtone.migrate', 0))::text")
            let ended = try await Program.run(["migrate", "--wait", "1s"], ["DATABASE_URL": database.url])
            #expect(ended.code == 1 && ended.output.isEmpty, "\(ended)")
            #expect(ended.errors.contains("waiting for another dialtone migrate: \(holder) (idle)\n"), "\(ended)")
            let gaveUp =
                "dialtone: gave up after waiting 1 s for a lock of \(holder) (idle); end that session, or give --wait "
                + "more time\n"
            #expect(ended.errors.hasSuffix(gaveUp), "\(ended)")
        }
    }

    @Test func `a migrate behind a forgotten transaction ends after --wait with 1, and says whose lock it is`()
        async throws
    {
        try await TestDatabase.with { database in
            let holder = "process \(await database.admin.backendPID) (idle in transaction)"
            // The last file is still to be applied, and needs a table that a session has.
            try await database.admin.script("delete from dialtone.schema_migrations where version = 8")
            try await database.admin.script("begin; lock table dialtone.tenants in share mode")
            let ended = try await Program.run(["migrate", "--wait", "3s"], ["DATABASE_URL": database.url])
            #expect(ended.code == 1 && ended.output.isEmpty, "\(ended)")
            #expect(ended.errors.contains("waiting for a lock of \(holder)\n"), "\(ended)")
            #expect(ended.errors.contains("gave up after waiting 3 s for a lock of \(holder)"), "\(ended)")
        }
    }

    @Test(arguments: ["1m 5s", "-1s", "a minute", "60"])
    func `a --wait that is no time is wrong usage`(wait: String) async throws {
        let ended = try await Program.run(
            ["migrate", "--wait=\(wait)"], ["DATABASE_URL": "postgresql://127.0.0.1:1/x"])
        #expect(ended.code == 2 && ended.errors.contains("--wait"), "\(ended)")
    }

    @Test func `serve says that it waits for a database, and ends with 7 when none comes`() async throws {
        let key = try await Program.run(["vault", "keygen"]).output.trimmingCharacters(in: .newlines)
        let ended = try await Program.run(
            ["serve", "--wait-for-database", "1s"],
            [
                "DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x", "DIALTONE_KEK": "env:KEK", "KEK": key,
                "TELNYX_API_KEY": "key", "DIALTONE_LISTEN": "127.0.0.1:0",
            ])
        #expect(ended.code == 7 && ended.output.isEmpty, "\(ended)")
        #expect(ended.errors.contains("waiting for the database"), "\(ended)")
        #expect(ended.errors.contains("no connection to the database") && !ended.errors.contains("hunter2"), "\(ended)")
    }
}
