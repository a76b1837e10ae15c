// SPDX-License-Identifier: Apache-2.0
// What the tests of the directory begin with: users of a tenant, and the reader of them.

import Foundation
import Model
import Postgres
import TestSupport
import Vault

@testable import Directory

enum DirectoryBed {
    static func users(_ database: TestDatabase, timeLimit: Duration? = nil) throws -> Users {
        let text = LocalKeyEncryptionKey.generate()
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        return Users(
            reads: TenantReads(pool: database.pool, timeLimit: timeLimit),
            vault: Vault(keys: TenantKeys(pool: database.pool, kek: kek)))
    }

    /// All questions, with a vault of their own.
    static func queries(_ database: TestDatabase) throws -> (queries: Queries, vault: Vault) {
        let text = LocalKeyEncryptionKey.generate()
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        let vault = Vault(keys: TenantKeys(pool: database.pool, kek: kek))
        return (Queries(reads: TenantReads(pool: database.pool), vault: vault), vault)
    }

    /// Pending users with a job each.
    static func add(_ names: [String], to tenant: String, _ database: TestDatabase) async throws {
        let owner = try TenantID(tenant)
        for name in names {
            let user = UserKey(tenant: owner, user: try UserID(name))
            try await database.insert(Ledger.user(user), Ledger.job(of: user))
        }
    }

    /// Users who stand there, with what the ledger has for such a user: a job that waits, or one that was given up.
    static func add(_ names: [String], _ status: UserStatus, of tenant: TenantID = testTenant, _ database: TestDatabase)
        async throws
    {
        for name in names {
            let user = UserKey(tenant: tenant, user: try UserID(name))
            let wanted: Wanted = [.revoking, .revoked].contains(status) ? .gone : .live
            try await database.insert(Ledger.user(user, wanted: wanted, status: status))
            switch status {
            case .pending, .revoking: try await database.insert(Ledger.job(of: user))
            case .failed: try await database.insert(Ledger.deadJob(of: user, reason: "rejected"))
            case .ready, .revoked: break
            }
        }
    }

    /// Ready users `r-1`, `r-2`, … of `acme`.
    static func addReady(_ count: Int, _ database: TestDatabase) async throws {
        try await database.insert(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, status, received_at, ready_at)
            select \(testTenant), 'r-' || number, 'live', 'ready', now(), now()
            from generate_series(1, \(count)) as number
            """)
    }
}

extension Users {
    /// A page of a plain list, as the tenant itself reads it.
    func list(
        of tenant: TenantID, after: UserID?, limit: Int, status: UserStatus? = nil, by key: String? = nil
    ) async throws -> UserPage {
        try await self.page(
            of: UserList(of: tenant, status.map(UserFilter.init(status:)) ?? UserFilter()),
            after: after.map { UserPlace(user: $0, received: 0) }, limit: limit, withReasons: false,
            as: Reader(tenant: tenant, key: key))
    }

    func show(_ user: UserKey, by key: String? = nil) async throws -> UserEntry? {
        try await self.show(user, as: Reader(tenant: user.tenant, key: key))
    }
}
