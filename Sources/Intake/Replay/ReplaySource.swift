// SPDX-License-Identifier: Apache-2.0
// The source of an event in quarantine, with today's mapping.

import Model
import Postgres

struct ReplaySource: Sendable {
    let id: SourceID
    let compiled: CompiledTerms

    /// Returns the source, whether or not it is in use. Nil: it was deleted, or it has no mapping. Throws where its
    /// configuration does not compile. Index sources_pkey.
    static func read(_ id: SourceID, in pool: PostgresPool) async throws -> ReplaySource? {
        let rows = try await pool.query(
            """
            select tenant_id, allowed_tenants, preset, config_version, is_tracked, config::text
            from dialtone.sources where source_id = \(id)
            """)
        guard var columns = rows.first?.columns else { return nil }
        let tenant: TenantID? = try columns.next()
        let allowed = try columns.next([String].self).compactMap(TenantID.init(rawValue:))
        let preset: String = try columns.next()
        let key = CompiledTerms.Key(
            preset: preset, version: try columns.next(), tenant: tenant, allowed: allowed,
            isTracked: try columns.next())
        let text: String? = try columns.next()
        return try CompiledTerms(key, text.map { Array($0.utf8) }).map { ReplaySource(id: id, compiled: $0) }
    }

    var owner: TenantID? { self.compiled.key.tenant }
    var version: Int32 { self.compiled.key.version }
    var isTracked: Bool { self.compiled.key.isTracked }
    var mapping: Mapping { self.compiled.mapping }

    /// Why the body of an open event is not there.
    var whyNoBody: String {
        let keeping = self.mapping.keeping
        if !keeping.keepsBody { return "its preset cannot name its secrets, so its body was not kept" }
        if !keeping.secretMembers.isEmpty {
            return "its body was not kept: it is no JSON, or it came to an older version"
        }
        return "its body is not there any more"
    }
}
