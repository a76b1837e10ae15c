// SPDX-License-Identifier: Apache-2.0
// The lock under which a source's proofs and secrets change: nobody has changed either since they were looked at.

import Foundation
import Model
import Postgres

extension SourceRegistry {
    /// Returns the ids of the secrets that the next delivery will meet.
    ///
    /// Cancelled here: nothing was begun.
    func newestSecrets(of source: FoundSource) async throws -> [UUID] {
        try await self.pool.query(Self.secretsInForce(of: source)).map { try $0.decode(UUID.self) }
    }

    /// Locks the source's row, so that one change follows the other. Refuses when somebody has changed the source, or has
    /// rotated its secrets, since it was looked at: `secrets` are those of that time. Primary key.
    ///
    /// Cancelled here: the transaction around it is rolled back.
    static func lock(
        _ source: FoundSource, _ slug: String, _ secrets: [UUID], on connection: PostgresConnection
    ) async throws {
        let version = try await connection.query(
            """
            select config_version from dialtone.sources
            where source_id = \(source.id) and status <> 'deleted' for update
            """
        ).first?.decode(Int32.self)
        guard let version else { throw SourceError.unknownSource(slug) }
        // A statement of its own, so that it sees what the holder of the lock before has committed.
        let inForce = try await connection.query(Self.secretsInForce(of: source)).map { try $0.decode(UUID.self) }
        // A secret that has ended meanwhile leaves fewer, which changes nothing.
        guard version == source.version, Set(inForce).isSubset(of: secrets) else {
            throw SourceError.changedMeanwhile(slug)
        }
    }

    /// Index source_secrets_source.
    private static func secretsInForce(of source: FoundSource) -> SQL {
        """
        select secret_id from dialtone.source_secrets
        where source_id = \(source.id) and tenant_id = \(source.scope)
          and (expires_at is null or expires_at > clock_timestamp())
        order by created_at desc limit \(Int64(ProofSecret.maximumCount))
        """
    }
}
