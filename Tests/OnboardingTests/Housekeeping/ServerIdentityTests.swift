// SPDX-License-Identifier: Apache-2.0
// What a worker makes of a server that hides its identity: it names the function, or knows the server by its start.

import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct ServerIdentityTests {
    @Test(arguments: ["pg_control_system()", "pg_current_wal_insert_lsn()", "pg_walfile_name(pg_lsn)"])
    func `a function that the server refuses is named, with both ways out`(function: String) async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("revoke execute on function \(function) from public")
            let error = await #expect(throws: ServerIdentityHidden.self) {
                try await database.pool.withConnection { try await ServerIdentity.system.verify(on: $0) }
            }
            let text = error?.description ?? ""
            #expect(text.contains("grant execute on function \(function) to dialtone_service"), "\(text)")
            #expect(text.contains("DIALTONE_SERVER_IDENTITY=start"), "\(text)")
            try await database.pool.withConnection { try await ServerIdentity.start.verify(on: $0) }
            try await database.admin.script("grant execute on function \(function) to dialtone_service")
            try await database.pool.withConnection { try await ServerIdentity.system.verify(on: $0) }
        }
    }

    /// 42883 is that of a function that does not exist.
    @Test(
        arguments: ["pg_control_system()", "pg_current_wal_insert_lsn()", "pg_walfile_name(pg_lsn)"],
        ["0A000", "55000", "42883", "XX000"])
    func `a function that always fails is named with its way out, and no grant is advised`(
        function: String, state: String
    ) async throws {
        try await TestDatabase.with { database in
            try await database.replace(function, raising: state)
            try await database.withIdentitySession { session in
                let error = await #expect(throws: ServerIdentityHidden.self) {
                    try await ServerIdentity.system.verify(on: session)
                }
                let text = error?.description ?? ""
                #expect(text.contains("cannot use \(function) (not here)"), "\(text)")
                #expect(text.hasSuffix("; set DIALTONE_SERVER_IDENTITY=start"), "\(text)")
                try await ServerIdentity.start.verify(on: session)
                let adopted = try await session.query(Self.adoption(by: .start))
                #expect(adopted.count == 1)
            }
        }
    }

    @Test func `known by its start alone, each change of the server may be a restore`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("revoke execute on function pg_control_system() from public")
            #expect(try await Self.adopt(by: .start, in: database) == "first")
            #expect(try await Self.adopt(by: .start, in: database) == nil)
            #expect(try await Self.isStopped(in: database) == false)
            try await database.admin.script("update dialtone.incarnation set started = started - 1")
            #expect(try await Self.adopt(by: .start, in: database) == "unknown")
            #expect(try await Self.isStopped(in: database) == true)
        }
    }

    @Test func `a row that was written in the weaker mode is not taken for the same server`() async throws {
        try await TestDatabase.with { database in
            #expect(try await Self.adopt(by: .start, in: database) == "first")
            try await database.admin.script("update dialtone.incarnation set started = started - 1")
            #expect(try await Self.adopt(by: .system, in: database) == "unknown")
            try await database.admin.script("update dialtone.incarnation set started = started - 1")
            #expect(try await Self.adopt(by: .system, in: database) == "restart")
        }
    }

    /// The operator's word was given; the adoption that follows must not ask for another.
    @Test(arguments: [ServerIdentity.system, .start])
    func `a confirmed clone is met without a second confirmation`(identity: ServerIdentity) async throws {
        try await TestDatabase.with { database in
            #expect(try await Self.adopt(by: identity, in: database) == "first")
            try await InstallationConfirmation.confirmClone(by: identity, on: database.admin)
            #expect(try await Self.adopt(by: identity, in: database) == "restart")
            #expect(try await Self.isStopped(in: database) == false)
        }
    }

    @Test func `a backup of a clone that no worker has met yet is a restore elsewhere`() async throws {
        try await TestDatabase.with { database in
            #expect(try await Self.adopt(by: .system, in: database) == "first")
            try await InstallationConfirmation.confirmClone(by: .system, on: database.admin)
            try await database.admin.script("update dialtone.incarnation set system_identifier = 1")
            #expect(try await Self.adopt(by: .system, in: database) == "restore")
            #expect(try await Self.isStopped(in: database) == true)
        }
    }

    private static func adopt(by identity: ServerIdentity, in database: TestDatabase) async throws -> String? {
        try await database.pool.query(Self.adoption(by: identity)).first.map(Incarnation.read)?.change
    }

    private static func adoption(by identity: ServerIdentity) -> SQL {
        Incarnation.adopt(by: identity, lease: .seconds(30), landingTime: .seconds(40))
    }

    private static func isStopped(in database: TestDatabase) async throws -> Bool? {
        try await InstallationConfirmation.state(on: database.admin)?.isStopped
    }
}

extension TestDatabase {
    /// Makes a function of the same name and columns that raises `state`. Sessions of the service that begin later find
    /// it before the server's own.
    fileprivate func replace(_ function: String, raising state: String) async throws {
        let columns = function == "pg_control_system()" ? "table (system_identifier bigint)" : "text"
        try await self.admin.script(
            """
            create schema hidden;
            grant usage on schema hidden to public;
            create function hidden.\(function) returns \(columns) language plpgsql as
            $$ begin raise exception 'not here' using errcode = '\(state)'; end $$
            """)
    }

    /// Lends a session of the service that meets the functions of `replace`.
    fileprivate func withIdentitySession(_ work: (PostgresConnection) async throws -> Void) async throws {
        var configuration = try PostgresConfiguration(url: self.url)
        configuration.settings = ["role": "dialtone_service", "search_path": "hidden,pg_catalog"]
        let session = try await PostgresConnection.connect(configuration)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(session))
        } catch {
            outcome = .failure(error)
        }
        await session.close()
        try outcome.get()
    }
}
