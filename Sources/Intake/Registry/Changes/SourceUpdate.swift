// SPDX-License-Identifier: Apache-2.0
// Gives a source a new mapping, new proofs or other tenants, which makes a new version of it.

import Foundation
package import Model
import Postgres

/// A source after an update.
package struct UpdatedSource: Sendable {
    package let slug: String
    package let hookID: String
    package let version: Int32
    /// False: it was as asked already.
    package let isChanged: Bool
}

extension SourceRegistry {
    /// Changes a source's configuration, the tenants that it may name, or whether it keeps names. What is nil stays.
    ///
    /// Refuses what does not compile, what no secret in force fits, and another way of coming to tenants while there are
    /// people or events. Secrets are sealed for the source's tenant, so that one never changes.
    package func update(
        slug: String, tenant: TenantID?, configuration: [UInt8]?, allowedTenants: [TenantID]?,
        keepsNames: Bool? = nil
    ) async throws -> UpdatedSource {
        let source = try await self.find(slug, tenant)
        let text = configuration ?? source.configuration.map { Array($0.utf8) }
        let terms = try Self.terms(of: source, text, configuration, allowedTenants)
        let keepsNames = keepsNames ?? source.keepsNames
        let isSame =
            text == source.configuration.map { Array($0.utf8) } && Set(terms.allowed) == Set(source.allowed)
            && keepsNames == source.keepsNames
        guard !isSame else {
            return UpdatedSource(slug: slug, hookID: source.hookID, version: source.version, isChanged: false)
        }
        let secrets = try await self.newestSecrets(of: source)
        try await self.requireSecrets(for: terms, source)
        let version = try await self.pool.withTransaction { connection in
            try await Self.lock(source, slug, secrets, on: connection)
            try await Self.requireTenants(terms.allowed, on: connection)
            if source.isOtherKind(terms) { try await Self.requireNoTraces(of: source, slug, on: connection) }
            // The row is locked. Primary key.
            let updated = try await connection.query(
                """
                update dialtone.sources
                set config = \(text.map { String(decoding: $0, as: UTF8.self) })::json,
                    allowed_tenants = \(terms.allowed), is_tracked = \(terms.isTracked), keeps_names = \(keepsNames),
                    ids_changed = ids_changed or signs_time <> \(terms.proofs.signsTime),
                    signs_time = \(terms.proofs.signsTime), config_version = config_version + 1
                where source_id = \(source.id) and config_version = \(source.version) and status <> 'deleted'
                returning config_version
                """
            ).first?.decode(Int32.self)
            guard let updated else { throw SourceError.changedMeanwhile(slug) }
            return updated
        }
        return UpdatedSource(slug: slug, hookID: source.hookID, version: version, isChanged: true)
    }

    /// A configuration that says how it comes to its tenants says it in place of the tenants before.
    private static func terms(
        of source: FoundSource, _ text: [UInt8]?, _ configuration: [UInt8]?, _ allowedTenants: [TenantID]?
    ) throws -> SourceTerms {
        guard allowedTenants?.isEmpty != true else { throw InvalidValue("allow", "must name at least one tenant") }
        guard allowedTenants == nil || source.tenant == nil else {
            throw InvalidValue("allow", "is of no use: the source belongs to one tenant")
        }
        let ownTenants = try configuration.flatMap {
            try SourceConfiguration($0, preset: source.preset).ownTenants
        }
        let terms = try SourceTerms(
            preset: source.preset, text, tenant: source.tenant,
            allowed: allowedTenants ?? (ownTenants == nil ? source.allowed : []))
        guard terms.tenant == source.tenant else {
            throw InvalidValue("/tenant", "must leave the source to the tenant that it was made for")
        }
        return terms
    }

    /// All secrets in force must fit the new proofs: one that does not would make the source unreadable. So must those
    /// that stay when the others have ended.
    private func requireSecrets(for terms: SourceTerms, _ source: FoundSource) async throws {
        let secrets = try await self.secretsInForce(of: source.id, source.scope)
        let lasting = secrets.filter { $0.notAfter == nil }
        guard !lasting.isEmpty || !terms.proofs.needsSecret else {
            throw SourceError.losesSecrets("they need one, and the source has none in force; make a new source")
        }
        do {
            try terms.requireUse(of: secrets)
            try terms.requireUse(of: lasting)
        } catch {
            throw SourceError.losesSecrets("\(error); bring one in first that fits: dialtone source rotate")
        }
    }

    /// A node may believe the source as it was for a minute, and would store words of the old kind. So the source must
    /// have rested for longer, and must have told nothing. The row is locked. Indexes
    /// events_source_id_delivery_id_item_key, people_pkey and quarantine_open, each by the source.
    private static func requireNoTraces(
        of source: FoundSource, _ slug: String, on connection: PostgresConnection
    ) async throws {
        let told = try await connection.query(
            """
            select 1 where exists (select 1 from dialtone.events where source_id = \(source.id))
                or exists (select 1 from dialtone.people where source_id = \(source.id))
                or exists (select 1 from dialtone.quarantine where source_id = \(source.id) and settled_at is null)
            """)
        guard told.isEmpty else { throw SourceError.keepsKind(slug) }
        let rests = try await connection.query(
            """
            select 1 from dialtone.sources
            where source_id = \(source.id) and status = 'disabled'
              and stopped_at < clock_timestamp() - interval '2 minutes'
            """)
        guard !rests.isEmpty else { throw SourceError.mustRest(slug) }
    }
}

extension FoundSource {
    /// Whether these terms come to tenants in another way: with facts on people or without, by a table or by a list.
    fileprivate func isOtherKind(_ terms: SourceTerms) -> Bool {
        terms.isTracked != self.isTracked || terms.allowed.isEmpty != self.allowed.isEmpty
    }
}
