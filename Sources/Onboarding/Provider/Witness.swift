// SPDX-License-Identifier: Apache-2.0
// Whether a 404 means what it says: a key of another organisation is answered 404 for everything that is ours.

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
        /// None of those asked for is there, or nobody could say.
        case unproven
        /// The ledger has no other that should be there.
        case noneKnown
    }

    /// Whether another known credential is there, or the ledger knows of none.
    func speaksForAccount(without id: ProviderID) async -> Bool {
        switch await self.testimony(without: id, beforeEach: {}) {
        case .ours, .noneKnown: true
        case .unproven: false
        }
    }

    /// A few are asked for, for one may be gone as well; those that a sweep has missed come last, and when even they
    /// are not there nothing is believed. Index credentials_provider_id_key, entered at a random place. `beforeEach`
    /// call, whoever holds something meanwhile says that it still does.
    func testimony(
        without id: ProviderID?, beforeEach: () async throws -> Void
    ) async rethrows -> Testimony {
        let id = id?.rawValue ?? ""
        guard
            let rows = try? await self.pool.query(
                """
                (select provider_id from dialtone.credentials
                 where provider_id >= (select gen_random_uuid()::text) and provider_id <> \(id) and status = 'active'
                   and missing_since is null
                 order by provider_id limit 2)
                union all
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
