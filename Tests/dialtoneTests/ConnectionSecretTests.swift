// SPDX-License-Identifier: Apache-2.0
// Whatever stands in a connection string, the program names what is wrong with it and shows no piece of its password.

import Foundation
import Testing

@Suite struct ConnectionSecretTests {
    /// A connection string as other drivers write it, and the word that the message has.
    static let foreign = [
        ("postgresql://u:PASSWORD@127.0.0.1:1/x?pgbouncer=true", "pgbouncer"),
        ("postgresql://u:PASSWORD@127.0.0.1:1/x?schema=public", "schema"),
        ("postgresql://u:PASSWORD@127.0.0.1:1/x?sslmode=require&connection_limit=1", "connection_limit"),
        ("postgresql+asyncpg://u:PASSWORD@127.0.0.1:1/x", "postgresql+asyncpg"),
        ("jdbc:postgresql://127.0.0.1:1/x?user=u&password=PASSWORD", "jdbc:postgresql"),
        ("host=127.0.0.1 port=1 user=u password=PASSWORD connection_limit=1", "connection_limit"),
    ]

    @Test(arguments: ConnectionSecretTests.foreign)
    func `a word of another driver is named by each command, and the password by none`(
        url: String, word: String
    ) async throws {
        for name in ["DATABASE_URL", "DATABASE_DIRECT_URL"] {
            var environment = ["DATABASE_URL": "postgresql://127.0.0.1:1/x"]
            environment[name] = url.replacing("PASSWORD", with: "kiwi%40yuzu")
            for command in [["check"], ["migrate"], ["serve"]] {
                let ended = try await Program.run(command, environment)
                #expect(ended.code == 2 && ended.output.isEmpty, "\(command): \(ended)")
                #expect(ended.errors.contains(name) && ended.errors.contains("\"\(word)\""), "\(command): \(ended)")
                #expect(!Self.shows(ended), "\(command): \(ended)")
            }
        }
    }

    /// The password has `kiwi` and `yuzu` around the characters, as they are and percent-encoded. Nobody listens there,
    /// so a string that can be read ends in an error of the connection.
    @Test(arguments: ["@", ":", "/", "%", "#", "?", "&", " ", "'", "\"", "ä€", "@/?#&"])
    func `check and the log of serve show no piece of a password`(characters: String) async throws {
        let key = try await Program.run(["vault", "keygen"]).output.trimmingCharacters(in: .newlines)
        let raw = "kiwi\(characters)yuzu"
        let encoded = raw.utf8.map { byte in "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }
            .joined()
        let quoted = raw.replacing("'", with: "\\'")
        for url in [
            "postgresql://u:\(raw)@127.0.0.1:1/x", "postgresql://u:\(encoded)@127.0.0.1:1/x",
            "host=127.0.0.1 port=1 user=u password='\(quoted)'",
        ] {
            let environment = [
                "DATABASE_URL": url, "DIALTONE_KEK": "env:KEK", "KEK": key, "TELNYX_API_KEY": "key",
                "DIALTONE_LISTEN": "127.0.0.1:0", "DIALTONE_LOG_LEVEL": "debug",
            ]
            for command in [["check"], ["serve", "--wait-for-database", "1ms"]] {
                let ended = try await Program.run(command, environment)
                #expect([1, 2, 7].contains(ended.code), "\(command) \(url): \(ended)")
                #expect(!Self.shows(ended), "\(command) \(url): \(ended)")
            }
        }
    }

    private static func shows(_ ended: Program.Ended) -> Bool {
        ["kiwi", "yuzu"].contains { ended.output.contains($0) || ended.errors.contains($0) }
    }
}
