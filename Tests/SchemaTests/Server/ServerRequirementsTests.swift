// SPDX-License-Identifier: Apache-2.0
// An old server and a database of another encoding are refused by name, before anything is written.

import Foundation
import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct ServerRequirementsTests {
    @Test(arguments: [(90_624, "9.6.24"), (130_018, "13.18"), (140_015, "14.15 (Debian 14.15-1)")])
    func `PostgreSQL 14 and older are refused by name`(number: Int, version: String) {
        let error = #expect(throws: SchemaError.self) {
            try ServerRequirements.verify(number: Int32(number), version: version, database: "d", encoding: "UTF8")
        }
        #expect(error?.description.contains("PostgreSQL \(version)") == true)
    }

    @Test func `PostgreSQL 15 and newer are taken`() throws {
        for number: Int32 in [150_000, 160_002, 180_006] {
            try ServerRequirements.verify(number: number, version: "x", database: "d", encoding: "UTF8")
        }
    }

    @Test func `a session that takes no writes is named, and an ordinary one is taken`() async throws {
        try await TestDatabase.with { database in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await ServerRequirements.verifyTakesWrites(on: connection)
            try await connection.script("set default_transaction_read_only = on")
            let error = await #expect(throws: SchemaError.self) {
                try await ServerRequirements.verifyTakesWrites(on: connection)
            }
            await connection.close()
            #expect(error?.description == "the server takes no writes: its sessions are read-only")
        }
    }

    @Test(arguments: ["LATIN1", "SQL_ASCII"])
    func `a database that is not UTF8 is refused by name`(encoding: String) async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let name = "e_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
            try await database.admin.script(
                "create database \(name) encoding '\(encoding)' lc_collate 'C' lc_ctype 'C' template template0")
            let configuration = try PostgresConfiguration(url: database.url).with(database: name)
            let connection = try await PostgresConnection.connect(configuration)
            let migrating = await #expect(throws: SchemaError.self) { _ = try await Schema().migrate(on: connection) }
            let starting = await #expect(throws: SchemaError.self) { try await Schema().verify(on: connection) }
            for refusal in [migrating, starting] {
                #expect(refusal?.description.contains("encoding \(encoding)") == true)
                #expect(refusal?.description.contains(name) == true)
            }
            let made = try await connection.query("select 1 from pg_namespace where nspname = 'dialtone'")
            #expect(made.isEmpty)
            await connection.close()
            try await database.admin.script("drop database \(name) with (force)")
        }
    }
}
