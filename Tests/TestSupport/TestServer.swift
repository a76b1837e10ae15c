// SPDX-License-Identifier: Apache-2.0
// One private PostgreSQL server for all tests of a process, with a migrated database to copy.

import Foundation
import Postgres
package import PrivatePostgres
import Schema

/// The server of this test process. The first test that needs it starts it. It ends with the process.
package actor TestServer {
    package static let shared = TestServer()

    private var starting: Task<PrivatePostgres, any Error>?

    /// Returns the server, with the template database in it.
    package func server() async throws -> PrivatePostgres {
        // Unstructured, because it belongs to every test that asks, not to the first one.
        let task = self.starting ?? Task { try await Self.start() }
        self.starting = task
        return try await task.value
    }

    /// Returns whether the server can encrypt connections. Some builds come without OpenSSL.
    package func hasTLS() async throws -> Bool {
        let server = try await self.server()
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        let row = try await connection.query("select current_setting('ssl_library') <> ''").first
        await connection.close()
        return try row?.decode(Bool.self) ?? false
    }

    private static func start() async throws -> PrivatePostgres {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "dialtone-tests-\(UUID().uuidString)")
        let server = try await PrivatePostgres.start(
            in: folder, settings: ["max_connections": "1000", "shared_buffers": "256MB"])
        server.stopAtExit(removingData: true)
        // `scripts/test-servers` reads this line.
        let line = "tests run on PostgreSQL \(server.version) (\(server.binaries.path))\n"
        try FileHandle.standardError.write(contentsOf: Data(line.utf8))
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await admin.script("create database dialtone_template")
        await admin.close()
        let template = try await PostgresConnection.connect(
            PostgresConfiguration(url: server.url(database: "dialtone_template")))
        _ = try await Schema().migrate(on: template)
        await template.close()
        return server
    }
}
