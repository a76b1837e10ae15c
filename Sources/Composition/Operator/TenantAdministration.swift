// SPDX-License-Identifier: Apache-2.0
// The operator's calls on tenants and API keys.

import Access
import Directory
import Foundation
import Intake
package import Model
import ProviderLimits

extension Administration {
    // MARK: Tenants

    /// `life`: how long its credentials are to live; nil: as long as the provider lets them.
    package func createTenant(
        _ id: TenantID, connectionID: String?, life: Duration? = nil
    ) async throws -> TenantLine {
        guard let connectionID = connectionID ?? self.settings.connectionID else {
            throw InvalidValue("connection-id", "is needed: give --connection-id or set TELNYX_CONNECTION_ID")
        }
        return TenantLine(
            try await self.withPool {
                try await Tenants(pool: $0).create(id, connectionID: connectionID, life: life)
            })
    }

    /// Changes how long later credentials of the tenant are to live.
    package func updateTenant(_ id: TenantID, life: Duration?) async throws -> TenantLine {
        TenantLine(try await self.withPool { try await Tenants(pool: $0).update(id, life: life) })
    }

    /// Gives the tenant another connection. Its users who wait or have failed are tried again at once.
    ///
    /// The jobs go in transactions of their own, after the change is there for all to see. Should one fail, the same
    /// call again goes on.
    package func moveTenant(_ id: TenantID, to connectionID: String) async throws -> TenantLine {
        try await self.withPool { pool in
            let moved = try await Tenants(pool: pool).move(id, to: connectionID)
            try await ProviderLimits(pool: pool).tenantMoved(id.rawValue, from: moved.before)
            try await WaitingJobs(pool: pool).makeDue(tenant: id)
            return TenantLine(moved.tenant)
        }
    }

    /// Reads a life in whole days, such as `90d`; `none` is nil.
    package static func credentialLife(_ text: String) throws -> Duration? {
        if text == "none" { return nil }
        guard text.hasSuffix("d"), let days = Int(text.dropLast()), (1...36_500).contains(days) else {
            throw InvalidValue("--credential-life", "must be a number of days such as 90d, or none")
        }
        return .seconds(days * 86_400)
    }

    package func tenants() async throws -> [TenantLine] {
        try await self.withPool { try await Tenants(pool: $0).list() }.map(TenantLine.init)
    }

    package func tenant(_ id: TenantID) async throws -> TenantLine? {
        try await self.withPool { try await Tenants(pool: $0).show(id) }.map(TenantLine.init)
    }

    // MARK: API keys

    /// Makes a key for one tenant, or with `tenant` nil for the operator.
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

    /// Returns whether there was such a key in force.
    package func revokeKey(_ id: String) async throws -> Bool {
        try await self.withPool { try await APIKeys(pool: $0).revoke(id) }
    }

    /// All scopes there are, for a help text.
    package static var scopeNames: String { Scope.allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads scopes that are separated by commas.
    package static func scopes(_ text: String) throws -> [Scope] { try Scope.list(text) }
}
