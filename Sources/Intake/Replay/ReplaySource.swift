// SPDX-License-Identifier: Apache-2.0
// The source of an event in quarantine, with today's mapping.

import Model
import Postgres

struct ReplaySource: Sendable {
    let id: SourceID
    let slug: String
    let compiled: CompiledTerms

    /// Returns the source, whether or not it is in use. Nil: it was deleted, or it has no mapping. Throws where its
    /// configuration does not compile. Index sources_pkey.
    static func read(_ id: SourceID, in pool: PostgresPool) async throws -> ReplaySource? {
        let rows = try await pool.query(
            """
            select tenant_id, allowed_tenants, preset, config_version, is_tracked, keeps_names, ids_changed,
                   config::text, slug
            from dialtone.sources where source_id = \(id) and status <> 'deleted'
            """)
        guard var columns = rows.first?.columns else { return nil }
        let tenant: TenantID? = try columns.next()
        let allowed = try columns.next([String].self).compactMap(TenantID.init(rawValue:))
        let preset: String = try columns.next()
        let key = CompiledTerms.Key(
            preset: preset, version: try columns.next(), tenant: tenant, allowed: allowed,
            isTracked: try columns.next(), keepsNames: try columns.next(), idsChanged: try columns.next())
        let text: String? = try columns.next()
        let slug: String = try columns.next()
        return try CompiledTerms(key, text.map { Array($0.utf8) }).map {
            ReplaySource(id: id, slug: slug, compiled: $0)
        }
    }

    var owner: TenantID? { self.compiled.key.tenant }
    var version: Int32 { self.compiled.key.version }
    var isTracked: Bool { self.compiled.key.isTracked }
    var mapping: Mapping { self.compiled.mapping }

    /// Locks the source as it was read: nobody changes its mapping or deletes it before the transaction ends. Throws
    /// when somebody has done so since. Index sources_pkey.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    func lock(on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            select 1 from dialtone.sources
            where source_id = \(self.id) and config_version = \(self.version) and status <> 'deleted' for share
            """)
        guard rows.count == 1 else { throw SourceError.changedMeanwhile(self.slug) }
    }

    /// Why the body of an open event is not there, and what can be done.
    var whyNoBody: String {
        let keeping = self.mapping.keeping
        let reason =
            if !keeping.keepsBody {
                "its preset cannot name its secrets, so its body was not kept"
            } else if !keeping.secretMembers.isEmpty {
                "its body was not kept: it is no JSON, or it came to an older version"
            } else {
                "its body is not there any more"
            }
        return "\(reason); let its sender send it again"
    }

    /// What a shell takes as it is.
    private static let unquoted = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-".utf8)

    /// Why the event stays, and the command that mends it.
    func whyUnmapped(_ word: Word) -> String {
        let words = "its organisation is not mapped"
        guard let organization = word.organization else { return words }
        let isPlain = Set(organization.utf8).isSubset(of: Self.unquoted)
        let name = isPlain ? organization : "'\(organization.replacing("'", with: #"'\''"#))'"
        let target = self.owner.map { "\($0) --tenant \($0)" } ?? "TENANT"
        return "\(words): dialtone source map add \(self.slug) \(name) \(target)"
    }

    /// Why no event of the source can be tried.
    static func whyUnreadable(_ error: InvalidValue) -> String {
        "today's mapping of its source cannot be read: \(error)"
    }
}
