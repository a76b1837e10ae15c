// SPDX-License-Identifier: Apache-2.0
// The private server of the demo and the tests keeps its data, takes over an abandoned folder, and leaves nothing.

import Foundation
import Postgres
import TestSupport
import Testing

@testable import PrivatePostgres

@Suite(.serialized) struct PrivatePostgresTests {
    @Test func `a private server keeps its data when it is stopped and started again`() async throws {
        try await Self.withServer { server in
            try await Self.on(server, "create table kept as select 7 as id")
            try await server.stop()
            try await server.startAgain()
            try await Self.on(server, "select id from kept")
        }
    }

    @Test func `a second start in a running server's folder fails and leaves that server alone`() async throws {
        try await Self.withServer { first in
            await #expect(throws: PrivatePostgresError.self) { try await PrivatePostgres.start(in: first.folder) }
            try await Self.on(first, "select 1")
        }
    }

    @Test func `the folder of a crashed server is taken over with its data`() async throws {
        try await Self.withServer { first in
            try await Self.on(first, "create table kept as select 7 as id")
            try await first.stop(mode: "immediate")
            // A loss of power leaves this file behind, and its process no longer exists.
            let file = first.folder.appendingPathComponent("data/postmaster.pid")
            try Data("4194303\n\(first.folder.path)/data\n".utf8).write(to: file)
            let second = try await PrivatePostgres.start(in: first.folder)
            try await Self.on(second, "select id from kept")
            try await second.stop()
            second.removeSocket()
        }
    }

    @Test func `a private server listens on no network address`() async throws {
        try await Self.withServer { server in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
            let row = try await connection.query("select current_setting('listen_addresses')").first
            #expect(try #require(row).decode(String.self) == "")
            await connection.close()
        }
    }

    @Test func `a private server that listens on TCP lets nobody in there, with or without a password`() async throws {
        let port = try FreePort.find()
        let server = try await PrivatePostgres.start(
            in: Self.folder(), settings: ["listen_addresses": "127.0.0.1", "port": "\(port)"])
        server.stopAtExit(removingData: true)
        defer { server.remove() }
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url() + "&port=\(port)"))
        try await admin.script("alter user postgres password 'sesame'")
        await admin.close()
        for login in ["postgres", "postgres:sesame"] {
            let url = "postgresql://\(login)@127.0.0.1:\(port)/postgres"
            let error = await #expect(throws: PostgresError.self) {
                _ = try await PostgresConnection.connect(PostgresConfiguration(url: url))
            }
            #expect(error?.message.contains("pg_hba.conf rejects") == true, "\(String(describing: error))")
        }
        try await server.stop(mode: "immediate")
    }

    @Test func `a folder that the server cannot enter keeps its permissions`() async throws {
        // Only root runs the server as another user. For everyone else the server can enter the same folders.
        let isRoot = geteuid() == 0
        let closed = Self.folder()
        try FileManager.default.createDirectory(
            at: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: closed) }
        let server = try await PrivatePostgres.start(in: closed.appendingPathComponent("inner"))
        defer { server.remove() }
        try await Self.on(server, "select 1")
        try await server.stop()
        #expect(server.folder.path.hasPrefix(closed.path) == !isRoot)
        let mode = try FileManager.default.attributesOfItem(atPath: closed.path)[.posixPermissions] as? Int
        #expect(mode == 0o700, "the folder above was opened")
    }

    @Test func `a server that cannot start is reported as an error`() async throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        await #expect(throws: PrivatePostgresError.self) {
            try await PrivatePostgres.start(in: folder, settings: ["no_such_setting": "1"])
        }
    }

    @Test func `a private server says the version of its programs`() async throws {
        try await Self.withServer { server in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
            let row = try await connection.query("select split_part(current_setting('server_version'), ' ', 1)").first
            #expect(try #require(row).decode(String.self) == server.version)
            await connection.close()
        }
    }

    @Test func `DIALTONE_PG_BINDIR without a server in it starts no other server`() throws {
        let environment = ["DIALTONE_PG_BINDIR": "/nowhere/bin", "PATH": "/usr/bin"]
        let error = #expect(throws: PrivatePostgresError.self) {
            try ServerBinaries.find(for: Owner.current(), in: environment)
        }
        #expect(error?.description.contains("DIALTONE_PG_BINDIR names /nowhere/bin") == true)
    }

    @Test func `programs that the server's user cannot reach are refused by name`() throws {
        let closed = Self.folder()
        try FileManager.default.createDirectory(
            at: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: closed) }
        let program = closed.appendingPathComponent("initdb").path
        try #require(
            FileManager.default.createFile(atPath: program, contents: nil, attributes: [.posixPermissions: 0o755]))
        let environment = ["DIALTONE_PG_BINDIR": closed.path]
        // Only root runs the server as another user.
        guard geteuid() == 0 else {
            #expect(try ServerBinaries.find(for: Owner.current(), in: environment).path == closed.path)
            return
        }
        let error = #expect(throws: PrivatePostgresError.self) {
            try ServerBinaries.find(for: Owner.current(), in: environment)
        }
        #expect(error?.description.contains("cannot reach its programs in \(closed.path)") == true)
    }

    private static func folder() -> URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-private-\(UUID().uuidString)")
    }

    private static func withServer(_ work: (PrivatePostgres) async throws -> Void) async throws {
        let server = try await PrivatePostgres.start(in: Self.folder())
        server.stopAtExit(removingData: true)
        defer { server.remove() }
        try await work(server)
        try? await server.stop(mode: "immediate")
    }

    private static func on(_ server: PrivatePostgres, _ statement: SQL) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        _ = try await connection.query(statement)
        await connection.close()
    }
}
