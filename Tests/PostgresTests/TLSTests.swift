// SPDX-License-Identifier: Apache-2.0
// With sslmode=verify-full the driver connects only to a server that has a trusted certificate for its name.

import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite struct TLSTests {
    @Test(
        .enabled("This PostgreSQL has no TLS, because it was built without OpenSSL, so TLS is not tested on it") {
            try await TestServer.shared.hasTLS()
        }
    )
    func `verify-full connects only to a server whose trusted certificate has its name`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-tls-\(UUID().uuidString)")
        let port = try FreePort.find()
        let access = try Self.accessFile()
        defer { try? FileManager.default.removeItem(at: access) }
        let server = try await PrivatePostgres.start(
            in: folder,
            settings: ["listen_addresses": "127.0.0.1", "port": "\(port)", "hba_file": access.path])
        server.stopAtExit(removingData: true)
        defer { server.remove() }
        try await Self.turnOnTLS(server, port: port, name: "localhost")
        let root = server.folder.appendingPathComponent("data/server.crt").path

        let anonymous = await #expect(throws: PostgresError.self) {
            _ = try await PostgresConnection.connect(
                PostgresConfiguration(url: "postgresql://postgres@127.0.0.1:\(port)/postgres?sslmode=require"))
        }
        #expect(anonymous?.code == .connectFailed, "no login by TCP without the password")
        let secure = try await Self.connect(host: "localhost", port, root: root)
        let row = try await secure.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()").first
        #expect(try #require(row).decode(Bool.self))
        // The text exceeds a TLS record and the socket's buffers, both ways. libpq may hold bytes that it has decrypted
        // but not handed on. The driver must read these without waiting for the socket.
        let text = String(repeating: "x", count: 3_000_000)
        let echoed = try await secure.query("select \(text)::text").first
        #expect(try #require(echoed).decode(String.self) == text)
        await secure.close()

        // The certificate is trusted, but it has another name.
        await Self.expectRefused(host: "127.0.0.1", port, root: root)
        // The name is right, but the certificate is not the trusted one.
        let other = folder.appendingPathComponent("other.crt")
        try Self.makeCertificate(other, key: folder.appendingPathComponent("other.key"), name: "localhost")
        await Self.expectRefused(host: "localhost", port, root: other.path)
        try await server.stop(mode: "immediate")
    }

    private static let password = UUID().uuidString

    /// Writes who may log in. The superuser of this test must not be open to every user of the machine.
    private static func accessFile() throws -> URL {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-hba-\(UUID().uuidString)")
        try "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
            .write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        return file
    }

    private static func connect(host: String, _ port: Int, root: String) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            PostgresConfiguration(
                url: """
                    postgresql://postgres:\(Self.password)@\(host):\(port)/postgres\
                    ?sslmode=verify-full&sslrootcert=\(root)
                    """))
    }

    private static func expectRefused(host: String, _ port: Int, root: String) async {
        let error = await #expect(throws: PostgresError.self) {
            _ = try await Self.connect(host: host, port, root: root)
        }
        #expect(error?.code == .connectFailed)
    }

    /// Puts a certificate with the data's owner beside the data, turns TLS on, and restarts the server.
    private static func turnOnTLS(_ server: PrivatePostgres, port: Int, name: String) async throws {
        let data = server.folder.appendingPathComponent("data")
        let (certificate, key) = (data.appendingPathComponent("server.crt"), data.appendingPathComponent("server.key"))
        try Self.makeCertificate(certificate, key: key, name: name)
        let owner = try FileManager.default.attributesOfItem(atPath: data.path)
        for file in [certificate, key] {
            try FileManager.default.setAttributes(
                [
                    .ownerAccountID: owner[.ownerAccountID] as Any,
                    .groupOwnerAccountID: owner[.groupOwnerAccountID] as Any,
                    .posixPermissions: 0o600,
                ], ofItemAtPath: file.path)
        }
        let socket = try PostgresConfiguration(url: server.url() + "&port=\(port)")
        let admin = try await PostgresConnection.connect(socket)
        try await admin.script("alter system set ssl = on")
        try await admin.script("alter user postgres password '\(Self.password)'")
        await admin.close()
        try await server.stop()
        try await server.startAgain()
    }

    private static func makeCertificate(_ file: URL, key: URL, name: String) throws {
        let command = Command(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
                "subjectAltName=DNS:\(name)", "-keyout", key.path, "-out", file.path,
            ])
        try #require(try command.start().waitUntilExit() == 0)
    }
}
