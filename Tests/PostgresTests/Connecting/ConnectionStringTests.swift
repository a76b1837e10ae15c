// SPDX-License-Identifier: Apache-2.0
// A bad connection string is refused by the name of what is wrong, and no piece of its password is ever shown.

import Testing

@testable import Postgres

@Suite struct ConnectionStringTests {
    @Test(
        arguments: [
            ("postgresql://u:secret@h/db?pgbouncer=true", "\"pgbouncer\""),
            ("postgresql://u:secret@h/db?sslmode=require&wobble=1", "\"wobble\""),
            ("postgres://h/db?password=secret&connection_limit=5", "\"connection_limit\""),
            ("postgresql://u:secret@h/db?schema=x", "\"schema\""),
            ("postgresql://u:secret@h/db?connection_limit=1", "\"connection_limit\""),
            ("postgresql+asyncpg://u:secret@h/db", "\"postgresql+asyncpg\""),
            ("postgresql+psycopg2://u:secret@h/db?sslmode=require", "\"postgresql+psycopg2\""),
            ("jdbc:postgresql://u:secret@h/db?currentSchema=x", "\"jdbc:postgresql\""),
            ("jdbc:postgresql://h/db?user=u&password=secret", "\"jdbc:postgresql\""),
            ("host=h schema=public password=secret", "\"schema\""),
            ("host=h password=secret pgbouncer=true", "\"pgbouncer\""),
        ])
    func `an unknown parameter or scheme is named`(_ url: String, _ word: String) {
        let message = Self.refusal(of: url)
        #expect(message?.contains(word) == true)
        #expect(message?.contains("secret") == false)
    }

    /// Each password holds `pie` and `ces` on both sides of the special characters.
    @Test(
        arguments: [
            "@", "/", ":", "?", "#", "%", " ", "&", "=", "@@", "@/", "/@", "@?", "?@", "/?", "?/", "@:", ":/", "%@",
            "@a?b=", "@h?x=1&", "/1?ssl=", "&b=", "@h:1,", "@[", "[", "]", "'", "\"", "ä€", "\\", "@h/db?", "://",
            "+x://", "%zz",
        ])
    func `a password with special characters never shows in an error`(_ characters: String) {
        let password = "pie\(characters)ces"
        for url in [
            "postgresql://u:\(password)@db.invalid/db", "postgresql://u:\(password)@db.invalid:5432/db?sslmode=require",
            "postgresql://u:\(password)@db.invalid/db?pgbouncer=true",
            "postgresql://db.invalid/db?password=\(password)",
            "postgresql://db.invalid/db?password=\(password)&wobble=1", "u:\(password)@db.invalid/db",
            "postgresql+x://u:\(password)@db.invalid/db", "host=db.invalid user=u password=\(password)",
            "host=db.invalid password=\(password) wobble=1 user=u",
        ] {
            let message: String
            do throws(PostgresError) {
                let configuration = try PostgresConfiguration(url: url)
                // What an error of libpq, of the server or of the resolver may quote.
                message = [configuration.hosts, configuration.user ?? "", configuration.database ?? ""].joined()
            } catch {
                message = "\(error)"
            }
            #expect(!message.contains("pie") && !message.contains("ces"), "of \(url)")
        }
    }

    @Test(arguments: ["@", "/", ":", "?", "#", "%", " ", "&", "=", "'", "\"", "\\", "ä€"])
    func `an encoded password reaches libpq as it is`(_ characters: String) throws {
        let password = "pie\(characters)ces"
        let encoded = password.utf8.map { byte in
            "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        #expect(try ConnectionString.parse("postgresql://u:\(encoded)@h/db?user=me@b")["password"] == password)
    }

    @Test(arguments: ["postgresql://u:p@h:port/db", "host=h port=0", "host=h port=65536", "postgresql://h:1,i:x/db"])
    func `a port that is no port is refused when the settings are read`(_ url: String) {
        #expect(Self.refusal(of: url)?.contains("port") == true)
    }

    @Test(arguments: [
        "postgresql:///db?host=/run/postgresql", "postgresql://u@[fe80::1%25eth0]:5432/db", "host=@abstract",
        "postgresql://a-1.example.com:5432,b_2:5433/db?ssl=true", "postgresql://u:p@h/db?options=-c%20x%3Dy@z",
        "host=h password='a b' dbname = db", "postgresql://u:a?b#c:d@h/db", "postgresql://",
    ])
    func `libpq's own forms are taken`(_ url: String) throws {
        _ = try PostgresConfiguration(url: url)
    }

    @Test func `sslrootcert=system with an old libpq says what to write instead`() throws {
        let parameters = ["sslrootcert": "system"]
        let error = #expect(throws: PostgresError.self) { try ConnectionString.check(parameters, libpq: 150_018) }
        #expect(error?.message.contains("sslrootcert=/") == true)
        try ConnectionString.check(parameters, libpq: 160_000)
    }

    private static func refusal(of url: String) -> String? {
        do throws(PostgresError) {
            _ = try PostgresConfiguration(url: url)
            return nil
        } catch {
            return error.message
        }
    }
}
