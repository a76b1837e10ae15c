// SPDX-License-Identifier: Apache-2.0
// Where TLS keeps a connection from being made, the error says what to write.

import Testing

@testable import Postgres

@Suite struct TLSAdviceTests {
    private static let failure = "root certificate file \"/home/app/.postgresql/root.crt\" does not exist"

    private static func advised(
        _ options: String, _ message: String = Self.failure, address: String = "192.0.2.1"
    ) throws -> String {
        let configuration = try PostgresConfiguration(url: "postgresql://u@db.example.com/db\(options)")
        let target = PostgresConfiguration.Target(
            host: "db.example.com", address: address, port: "5432", session: "read-write")
        return configuration.advised(message, at: target)
    }

    @Test func `an error of TLS without an sslmode names the default and both ways out`() throws {
        let text = try Self.advised("")
        #expect(text.contains("no sslmode is given") && text.contains("verify-full"))
        #expect(text.contains("sslrootcert=") && text.contains("sslmode=require"))
    }

    @Test func `an error of TLS without a certificate authority says where to name it`() throws {
        #expect(try Self.advised("?sslmode=verify-full").contains("sslrootcert=FILE"))
        #expect(try Self.advised("?sslmode=verify-full&sslrootcert=/ca.pem") == Self.failure)
    }

    @Test func `an error that has nothing to do with TLS stays as it is`() throws {
        #expect(try Self.advised("", "session is read-only") == "session is read-only")
        #expect(try Self.advised("", address: "127.0.0.1") == Self.failure)
    }

    @Test(arguments: [
        ("", "verify-full, as no sslmode is given"), ("?sslmode=disable", "nothing is encrypted"),
        ("?sslmode=prefer", "only if the server offers it"), ("?sslmode=require", "nothing proves who answers"),
        ("?sslmode=verify-full", "verify-full"),
    ])
    func `check says in words what protects the way to the server`(_ options: String, _ words: String) throws {
        let configuration = try PostgresConfiguration(url: "postgresql://u@db.example.com/db\(options)")
        #expect(configuration.tlsInWords.contains(words))
    }
}
