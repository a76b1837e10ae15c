// SPDX-License-Identifier: Apache-2.0
// A login that serves is known for what it may do: too little is refused, too much is said.

import Foundation
import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct ServingLoginTests {
    @Test func `a member of dialtone_service and of nothing else may serve`() async throws {
        try await Self.withLogin("login", granted: "dialtone_service") { login, name in
            let found = try await ServingLogin.verify(on: login)
            #expect(found.name == name && found.excess == [])
        }
    }

    /// The attributes of a login, a role that it is a member of, and a word that the finding has.
    static let excesses: [(String, String?, String)] = [
        ("login superuser", nil, "superuser"), ("login createrole", nil, "CREATEROLE"),
        ("login bypassrls", nil, "BYPASSRLS"), ("login replication", nil, "REPLICATION"),
        ("login", "dialtone_owner", "owner of the schema"), ("login", "pg_read_all_data", "pg_read_all_data"),
    ]

    @Test(arguments: ServingLoginTests.excesses)
    func `each right that serving does not need is named`(
        attributes: String, also: String?, word: String
    ) async throws {
        let granted = (["dialtone_service"] + [also].compactMap { $0 }).joined(separator: ", ")
        try await Self.withLogin(attributes, granted: granted) { login, _ in
            let excess = try await ServingLogin.verify(on: login).excess
            #expect(excess.count == 1 && excess.first?.contains(word) == true, "\(excess)")
        }
    }

    /// With the role taken at its start a session needs no inheritance; behind a pooler it cannot take the role.
    @Test func `a login that does not inherit serves, but not behind a pooler`() async throws {
        try await Self.withLogin("login noinherit", granted: "dialtone_service") { login, name in
            let serving = try await ServingLogin.verify(on: login)
            #expect(serving.name == name)
            let error = await #expect(throws: SchemaError.self) {
                try await ServingLogin.verify(on: login, isPooled: true)
            }
            #expect(error?.description.contains("alter role \(name) inherit") == true)
        }
        try await Self.withLogin("login", granted: "dialtone_service") { login, name in
            let serving = try await ServingLogin.verify(on: login, isPooled: true)
            #expect(serving.name == name)
        }
    }

    @Test func `a login that is no member is refused, and the error says what to run`() async throws {
        try await Self.withLogin("login", granted: nil) { login, name in
            let error = await #expect(throws: SchemaError.self) { try await ServingLogin.verify(on: login) }
            #expect(error?.description.contains("dialtone migrate --serve-as \(name)") == true)
        }
    }

    /// The names of roles are the server's, so each login has one of its own.
    private static func withLogin(
        _ attributes: String, granted: String?, _ work: (PostgresConnection, String) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let name = "login_\(UUID().uuidString.prefix(8).lowercased())"
            try await database.admin.script("create role \(name) \(attributes)")
            if let granted { try await database.admin.script("grant \(granted) to \(name)") }
            let login = try await PostgresConnection.connect(
                PostgresConfiguration(url: database.url.replacing("user=postgres", with: "user=\(name)")))
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(login, name))
            } catch {
                outcome = .failure(error)
            }
            await login.close()
            try await database.admin.script("drop role \(name)")
            try outcome.get()
        }
    }
}
