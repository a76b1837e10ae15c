// SPDX-License-Identifier: Apache-2.0
// A dump taken and read back by the lines of the operations page, with no superuser on either side.

import Composition
import Foundation
import Model
import Postgres
import PrivatePostgres
import Testing

@Suite struct BackupTests {
    @Test func `the documented lines copy every row without a superuser, and what came later is adopted`() async throws
    {
        try await ManagedPlace.with { place in
            try await place.migrate()
            let lines = try Self.documentedLines()
            try #require(lines.count == 2, "the page has a block for the dump and one for reading it back")
            let settings = try await place.settings("dialtone_app")
            let customer = try await place.makeCustomer(settings)
            try await Story.withNode(settings) { try await place.signUp("u-1", of: customer, at: $0) }
            try await Self.run(lines[0], in: place, database: "dialtone")
            let before = try await Self.rows(of: "dialtone", in: place)
            try await Story.withNode(settings) { try await place.signUp("u-2", of: customer, at: $0) }

            try await ManagedPlace.createDatabase("restored", on: place.server)
            try await Self.run(lines[1], in: place, database: "restored")
            #expect(try await Self.rows(of: "restored", in: place) == before)
            let restored = try await place.inDatabase("restored")
            try await Story.withNode(try await place.settings("dialtone_app", database: "restored")) { address in
                try await restored.until("select 1 from dialtone.incarnation where change = 'restore' and is_stopped")
                try await restored.signUp("u-2", of: customer, at: address)
            }
            await restored.host.close()
            #expect(try await place.provider.callsInAll() == .init(creates: 2, deletes: 0))
        }
    }

    /// A way to dump that is not the page's: the login, the options that are left out, and whether it must fail. A
    /// login that inherits what the owner may needs no `--role`, so that way may work.
    private static let naiveWays: [(login: String, without: [String], mustFail: Bool)] = [
        ("dialtone_migrator", [" --enable-row-security"], true),
        ("dialtone_migrator", [" --role=dialtone_owner", " --enable-row-security"], true),
        ("dialtone_migrator", [" --role=dialtone_owner"], false),
        ("dialtone_app", [], true), ("dialtone_app", [" --role=dialtone_owner"], true),
        ("dialtone_app", [" --role=dialtone_owner", " --enable-row-security"], true),
    ]

    @Test func `a dump that is taken another way fails loudly, or has every row`() async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            _ = try await place.makeCustomer(try await place.settings("dialtone_app"))
            let page = try #require(try Self.documentedLines().first)
            for way in Self.naiveWays {
                var dump = page
                for option in way.without {
                    try #require(dump.contains(option), "the page has \(option)")
                    dump = dump.replacing(option, with: "")
                }
                let readBack = "\npg_restore --data-only --table=tenants --file=rows.sql dialtone.dump"
                let (status, told) = try await Self.attempt(
                    dump + readBack, in: place, login: way.login, database: "dialtone")
                #expect(status != 0 || !way.mustFail, "\(way): \(told)")
                if status != 0 {
                    #expect(
                        told.contains("row-level security") || told.contains("permission denied"), "\(way): \(told)")
                } else {
                    let rows = try String(
                        contentsOf: place.folder.appendingPathComponent("rows.sql"), encoding: .utf8)
                    #expect(rows.contains("acme"), "\(way): \(rows)")
                }
            }
        }
    }

    // MARK: The page

    /// The shell blocks of the page's section about backups.
    private static func documentedLines() throws -> [String] {
        let page = OutsideProgram.repository.appendingPathComponent("docs/operations.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix("Backups\n") })
        return section.components(separatedBy: "```sh\n").dropFirst().map { block in
            block.components(separatedBy: "```")[0]
        }
    }

    /// Runs a block as the page's reader does. `DATABASE_URL` is that of the login that migrates.
    private static func run(_ block: String, in place: ManagedPlace, database: String) async throws {
        let (status, told) = try await self.attempt(block, in: place, login: "dialtone_migrator", database: database)
        try #require(status == 0, "\(block)\n\(told)")
    }

    /// Returns the exit status, and what the programs said.
    private static func attempt(
        _ block: String, in place: ManagedPlace, login: String, database: String
    ) async throws -> (status: Int32, told: String) {
        let environment = ProcessInfo.processInfo.environment
        let folders = [
            self.serverPrograms(), OutsideProgram.repository.appendingPathComponent(".build/debug").path,
            environment["PATH"],
        ]
        let (status, output) = try await OutsideProgram.run(
            URL(fileURLWithPath: "/bin/sh"), ["-ec", "cd '\(place.folder.path)'\n\(block)"],
            environment: [
                "PATH": folders.compactMap { $0 }.joined(separator: ":"),
                "DATABASE_URL": place.url(login, database: database),
            ], collectsErrors: true)
        return (status, String(decoding: output, as: UTF8.self))
    }

    /// The folder of `pg_dump`, as the private server's programs are found; nil: they are in `PATH`.
    private static func serverPrograms() -> String? {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let installed = versions.compactMap { Int($0) }.sorted(by: >).map { "/usr/lib/postgresql/\($0)/bin" }
        let named = ProcessInfo.processInfo.environment["DIALTONE_PG_BINDIR"]
        return ([named].compactMap { $0 } + installed).first {
            FileManager.default.isExecutableFile(atPath: $0 + "/pg_restore")
        }
    }

    /// How many rows each table has. The row about the server is another's business.
    private static func rows(of database: String, in place: ManagedPlace) async throws -> [String: Int64] {
        let other = try await place.inDatabase(database)
        var counts: [String: Int64] = [:]
        let tables = try await other.host.query(
            "select tablename::text from pg_tables where schemaname = 'dialtone' and tablename <> 'incarnation'"
        ).map { try $0.decode(String.self) }
        for table in tables {
            let row = try await other.host.query("select count(*) from dialtone.\(unsafeText: table)").first
            counts[table] = try row?.decode(Int64.self)
        }
        await other.host.close()
        return counts
    }
}

extension ManagedPlace {
    /// The same place with the host's look into another database of the server. The caller closes `host`.
    fileprivate func inDatabase(_ database: String) async throws -> ManagedPlace {
        let host = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.server.url(database: database)))
        return ManagedPlace(
            server: self.server, folder: self.folder, kek: self.kek, provider: self.provider, host: host)
    }
}
