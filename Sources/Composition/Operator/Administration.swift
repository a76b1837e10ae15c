// SPDX-License-Identifier: Apache-2.0
// What an operator does from the command line, as calls: each opens what it needs and closes it again.

import Access
import AsyncHTTPClient
import Directory
import Foundation
import Intake
package import Model
import Onboarding
package import Postgres
import ProviderLimits
import Schema
import Telnyx
import Vault

/// The verbs behind the commands.
package struct Administration: Sendable {
    package let settings: Settings

    /// As `dialtone --version` prints it and CHANGELOG.md heads it.
    package static let version = "0.1.0-dev"

    package init(_ settings: Settings) { self.settings = settings }

    // MARK: Schema

    /// Applies what is missing, or with `dryRun` only tells; answers the names of the migrations.
    package func migrate(dryRun: Bool) async throws -> [MigrationLine] {
        try await self.withDirectConnection { connection in
            if dryRun {
                return try await Schema().status(on: connection).filter { $0.appliedAt == nil }.map(\.migration)
            }
            return try await Schema().migrate(on: connection)
        }.map { MigrationLine($0) }
    }

    package func migrations() async throws -> [MigrationLine] {
        try await self.withDirectConnection { try await Schema().status(on: $0) }
            .map { MigrationLine($0.migration, appliedAt: $0.appliedAt) }
    }

    // MARK: Tenants, sources, keys, users

    package func createTenant(_ id: TenantID, connectionID: String?) async throws -> TenantLine {
        guard let connectionID = connectionID ?? self.settings.connectionID else {
            throw InvalidValue("connection-id", "is needed: give --connection-id or set TELNYX_CONNECTION_ID")
        }
        return TenantLine(
            try await self.withPool { try await Tenants(pool: $0).create(id, connectionID: connectionID) })
    }

    package func tenants() async throws -> [TenantLine] {
        try await self.withPool { try await Tenants(pool: $0).list() }.map(TenantLine.init)
    }

    package func tenant(_ id: TenantID) async throws -> TenantLine? {
        try await self.withPool { try await Tenants(pool: $0).show(id) }.map(TenantLine.init)
    }

    package func createSource(
        _ slug: String, tenant: TenantID?, allowed: [TenantID], preset: String
    ) async throws -> NewSourceLine {
        let source = try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).create(
                slug: slug, tenant: tenant, allowedTenants: allowed, preset: preset)
        }
        return NewSourceLine(
            source: source.slug, tenant: tenant?.rawValue, url: self.hookURL(source.hookID),
            secret: source.secret.reveal())
    }

    package func rotateSource(_ slug: String, tenant: TenantID?, overlap: Duration) async throws -> NewSourceLine {
        let source = try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).rotate(
                slug: slug, tenant: tenant, overlap: overlap)
        }
        return NewSourceLine(
            source: source.slug, tenant: tenant?.rawValue, url: self.hookURL(source.hookID),
            secret: source.secret.reveal())
    }

    package func sources(tenant: TenantID?) async throws -> [SourceLine] {
        try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).list(tenant: tenant)
        }.map { SourceLine($0, url: self.hookURL($0.hookID)) }
    }

    package func createKey(tenant: TenantID?, scopes: [Scope]) async throws -> NewKeyLine {
        let (id, text) = try await self.withPool { pool in
            if let tenant, try await Tenants(pool: pool).show(tenant) == nil { throw SourceError.unknownTenant(tenant) }
            return try await APIKeys(pool: pool).create(tenant: tenant, scopes: scopes)
        }
        return NewKeyLine(key: text.reveal(), key_id: id, tenant: tenant?.rawValue, scopes: scopes.map(\.rawValue))
    }

    package func keys(tenant: TenantID?) async throws -> [KeyLine] {
        try await self.withPool { try await APIKeys(pool: $0).list(tenant: tenant) }.map(KeyLine.init)
    }

    package func revokeKey(_ id: String) async throws -> Bool {
        try await self.withPool { try await APIKeys(pool: $0).revoke(id) }
    }

    /// One page, or with `limit` nil all users.
    package func users(of tenant: TenantID, after: UserID?, limit: Int?) async throws -> (
        lines: [UserLine], next: String?
    ) {
        let page = try await self.userEntries(of: tenant, after: after, limit: limit)
        return (page.users.map(UserLine.init), page.next?.rawValue)
    }

    func userEntries(of tenant: TenantID, after: UserID?, limit: Int?) async throws -> UserPage {
        try await self.withParts { parts in
            guard try await Tenants(pool: parts.pool).show(tenant) != nil else {
                throw SourceError.unknownTenant(tenant)
            }
            let users = Users(pool: parts.pool, vault: parts.vault)
            if let limit { return try await users.list(of: tenant, after: after, limit: limit) }
            var all: [UserEntry] = []
            var next = after
            repeat {
                let page = try await users.list(of: tenant, after: next, limit: 200)
                all += page.users
                next = page.next
            } while next != nil
            return UserPage(users: all, next: nil)
        }
    }

    package func user(_ user: UserKey) async throws -> (line: UserLine, timeline: [TimelineLine])? {
        try await self.withParts { parts in
            let users = Users(pool: parts.pool, vault: parts.vault)
            guard let entry = try await users.show(user) else { return nil }
            return (UserLine(entry), try await users.timeline(user).map(TimelineLine.init))
        }
    }

    package func revoke(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).revoke(user) })
    }

    package func rotate(_ user: UserKey, overlap: Duration?) async throws -> ActionLine {
        let overlap = overlap ?? self.settings.rotationOverlap
        return ActionLine(
            user, try await self.withPool { try await UserActions(pool: $0).rotate(user, overlap: overlap) })
    }

    package func reopen(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).reopen(user) })
    }

    package func retry(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).retry(user) })
    }

    // MARK: Opening and closing

    private func hookURL(_ hookID: String) -> String {
        // "All addresses" is none to send to.
        let host = ["0.0.0.0", "::"].contains(self.settings.listenHost) ? "127.0.0.1" : self.settings.listenHost
        let shown = host.contains(":") ? "[\(host)]" : host
        let base = self.settings.publicURL ?? "http://\(shown):\(self.settings.listenPort)"
        return "\(base)/v1/hooks/\(hookID)"
    }

    private func withDirectConnection<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.settings.databaseDirectURL.reveal()))
        do {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    func withPool<Value: Sendable>(_ work: (PostgresPool) async throws -> Value) async throws -> Value {
        var limits = PostgresPool.Configuration(try Foundations.database(self.settings))
        limits.maximum = 2
        return try await Self.running(PostgresPool(limits), work)
    }

    func withParts<Value: Sendable>(_ work: (Foundations) async throws -> Value) async throws -> Value {
        let parts = try Foundations(self.settings, connections: 2)
        return try await Self.running(parts.pool) { _ in try await work(parts) }
    }

    /// Runs the pool for as long as `work` takes.
    package static func running<Value: Sendable>(
        _ pool: PostgresPool, _ work: (PostgresPool) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let value: Value
            do {
                value = try await work(pool)
            } catch {
                group.cancelAll()
                throw Foundations.explained(error)
            }
            group.cancelAll()
            return value
        }
    }
}

extension Administration {
    /// A new key-encryption key.
    package static func generateKey() -> String { LocalKeyEncryptionKey.generate() }
}

extension Administration {
    /// All there are.
    package static var scopeNames: String { Scope.allCases.map(\.rawValue).joined(separator: ", ") }

    package static func scopes(_ text: String) throws -> [Scope] { try Scope.list(text) }
}
