// SPDX-License-Identifier: Apache-2.0
// Whether a 404 can be believed: to a key of another organisation the provider answers 404 for all our credentials.

import Foundation
import Model
import Postgres
import Telnyx

/// Asks the provider for another credential that the ledger knows.
struct Witness: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider

    enum Testimony: Sendable {
        /// Another known credential is there: this is the ledger's account.
        case ours
        /// None of those asked for is there, or the question failed.
        case unproven
        /// The ledger has no other credential that should be there.
        case noneKnown
    }

    /// Returns whether the 404 for `id` can be believed: another known credential is there, or the ledger has no other.
    func speaksForAccount(without id: ProviderID) async -> Bool {
        switch await self.testimony(without: id, beforeEach: {}) {
        case .ours, .noneKnown: true
        case .unproven: false
        }
    }

    /// Asks the provider for up to five other active credentials, until one is there.
    ///
    /// More than one is asked for, because one may be gone as well. A credential that a sweep has missed comes last.
    /// When none is there, nothing is believed. `beforeEach` runs before each call, so that a sweep can extend its
    /// lease. Rethrows its errors; a failed query or call is `unproven`.
    func testimony(
        without id: ProviderID?, beforeEach: () async throws -> Void
    ) async rethrows -> Testimony {
        let id = id?.rawValue ?? ""
        guard
            let rows = try? await self.pool.query(
                """
                -- Index credentials_provider_id_key, entered at a random place, so that the choice changes.
                (select provider_id from dialtone.credentials
                 where provider_id >= (select gen_random_uuid()::text) and provider_id <> \(id) and status = 'active'
                   and missing_since is null
                 order by provider_id limit 2)
                union all
                -- The random place may be after the last id.
                (select provider_id from dialtone.credentials
                 where provider_id <> \(id) and status = 'active' and missing_since is null order by provider_id limit 2)
                union all
                (select provider_id from dialtone.credentials
                 where provider_id <> \(id) and status = 'active' order by provider_id limit 1)
                """)
        else { return .unproven }
        if rows.isEmpty { return .noneKnown }
        for row in rows {
            guard let other: ProviderID = try? ProviderID(rawValue: row.decode(String.self)) else { return .unproven }
            try await beforeEach()
            if (try? await self.provider.retrieve(other)) != nil { return .ours }
        }
        return .unproven
    }
}
