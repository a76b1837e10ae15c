// SPDX-License-Identifier: Apache-2.0
// Where users, credentials and tags stand in the ledger, and the waits until they stand somewhere.

import Composition
import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

extension Story {
    /// One user: the sender's id, the wish and where the user stands.
    struct User: Equatable, Sendable {
        let id: String
        let wanted: Wanted
        let status: UserStatus

        init(_ id: String, _ wanted: Wanted, _ status: UserStatus) {
            self.id = id
            self.wanted = wanted
            self.status = status
        }

        fileprivate init(row: PostgresRow) throws {
            var columns = row.columns
            self.id = try columns.next()
            self.wanted = try columns.next()
            self.status = try columns.next()
        }
    }

    /// One credential of a user: its generation and where it stands.
    struct Credential: Equatable, Sendable {
        let generation: Generation
        let status: CredentialStatus

        init(_ generation: Generation, _ status: CredentialStatus) {
            self.generation = generation
            self.status = status
        }

        fileprivate init(row: PostgresRow) throws {
            var columns = row.columns
            self.generation = try columns.next()
            self.status = try columns.next()
        }
    }

    static func user(_ user: String) throws -> UserKey {
        UserKey(tenant: try TenantID("acme"), user: try UserID(user))
    }

    // MARK: Users

    /// How many events the ledger has recorded.
    func eventCount() async throws -> Int { try await self.rows("select delivery_id from dialtone.events").count }

    /// Signs the user up and waits until the credential is there.
    func signUp(_ user: String) async throws {
        _ = try await self.send(.created, user, delivery: "created-\(user)")
        try await self.waitUntil(user, is: .ready)
    }

    /// All users of all tenants, by tenant and id.
    func users() async throws -> [User] {
        try await self.database.admin.query(
            "select user_id, wanted, status from dialtone.users order by tenant_id, user_id"
        ).map { try User(row: $0) }
    }

    /// The generation that is wanted of the user, or the last one that was.
    func generation(of user: String) async throws -> Generation {
        let row = try await self.database.admin.query(
            "select generation from dialtone.users where tenant_id = 'acme' and user_id = \(user)"
        ).first
        return try #require(row).decode(Generation.self)
    }

    func waitUntil(_ user: String, is status: UserStatus) async throws {
        try await self.until(
            """
            select 1 from dialtone.users
            where tenant_id = 'acme' and user_id = \(user) and status = \(status)
            """)
    }

    /// Waits until the user stands there and `generation` is the one wanted.
    func waitUntil(_ user: String, is status: UserStatus, generation: Generation) async throws {
        try await self.until(
            """
            select 1 from dialtone.users
            where tenant_id = 'acme' and user_id = \(user) and status = \(status) and generation = \(generation)
            """)
    }

    /// Waits until so many users stand there.
    func waitUntil(_ count: Int, are status: UserStatus) async throws {
        try await self.until(
            "select 1 from dialtone.users having count(*) filter (where status = \(status)) = \(count)")
    }

    /// Waits until no work is left and nothing is to be deleted. The job of a user who has failed may stay.
    func waitUntilAtRest() async throws {
        try await self.until(
            """
            select 1 where not exists (select 1 from dialtone.jobs where state <> 'dead')
              and not exists (select 1 from dialtone.surplus where deleted_at is null)
            """)
    }

    // MARK: Credentials

    /// The user's credentials, by generation.
    func credentials(of user: String) async throws -> [Credential] {
        try await self.database.admin.query(
            """
            select generation, status from dialtone.credentials
            where tenant_id = 'acme' and user_id = \(user) order by generation
            """
        ).map { try Credential(row: $0) }
    }

    func waitUntilCredential(_ generation: Generation, of user: String, is status: CredentialStatus) async throws {
        try await self.until(
            """
            select 1 from dialtone.credentials
            where tenant_id = 'acme' and user_id = \(user) and generation = \(generation) and status = \(status)
            """)
    }

    /// The provider's id of the one active credential in the ledger. Fails if there is none, or a second one.
    func activeID() async throws -> String {
        let ids = try await self.activeIDs()
        try #require(ids.count == 1)
        return ids[0]
    }

    /// The provider's ids of all active credentials in the ledger, sorted.
    func activeIDs() async throws -> [String] {
        try await self.rows("select provider_id from dialtone.credentials where status = 'active'").sorted()
    }

    /// The provider's id of the user's credential of that generation.
    func providerID(of user: String, generation: Generation = 1) async throws -> String? {
        try await self.rows(
            """
            select provider_id from dialtone.credentials
            where tenant_id = 'acme' and user_id = \(user) and generation = \(generation)
            """
        ).first
    }

    /// The names of all credentials that the ledger knows, deleted ones included, by user and generation.
    func credentialNames() async throws -> [String] {
        try await self.rows("select name from dialtone.credentials order by user_id, generation")
    }

    /// The name of the user's first credential.
    func credentialName(of user: String) async throws -> String {
        let names = try await self.rows(
            "select name from dialtone.credentials where user_id = \(user) order by generation limit 1")
        return try #require(names.first)
    }

    /// How many credentials the ledger has under each tag, deleted ones included.
    func credentialsPerTag() async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in try await self.database.admin.query(
            "select tag, count(*) from dialtone.credentials group by tag"
        ) {
            let (tag, count) = try row.decode(String.self, Int.self)
            counts[tag] = count
        }
        return counts
    }
}

extension Story {
    /// The steps of a user's life, as an operator reads them in the database.
    func timeline(of user: String) async throws -> [TimelineEntry] {
        try await Door.database(self.settings).ask { questions, _ in
            try await questions.timeline(try Self.user(user), after: nil, limit: 200)?.data ?? []
        }
    }
}
