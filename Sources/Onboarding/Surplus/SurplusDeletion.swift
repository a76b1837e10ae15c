// SPDX-License-Identifier: Apache-2.0
// The worker deletes surplus at the provider, once committed rows prove that it is surplus.

import Model
import Postgres
import ProviderLimits
import Telemetry
import Telnyx

extension OnboardingWorker {
    /// Deletes surplus, one credential after another, and rests about a second when little is left.
    ///
    /// Cancelled here: nobody knows whether the delete under way happened. The next deleter repeats it, and its 404
    /// says as much.
    func deleteSurplus() async {
        while !Task.isCancelled {
            if self.identity.terms != nil, (try? await self.provider.allowsCalls()) ?? false {
                let deletion = SurplusDeletion(pool: self.pool, provider: self.provider)
                if let result = try? await deletion.run(limit: 16) {
                    self.metrics.surplusDeleted.add(result.gone)
                    if result.tried == 16 { continue }
                }
            }
            try? await Task.sleep(for: .seconds(1) * Double.random(in: 0.75..<1.25))
        }
    }
}

/// Deletes what `Surplus.due` allows.
struct SurplusDeletion: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider

    /// Returns how many were tried, and how many are gone.
    ///
    /// Each is taken just before its call, so that the rows that prove it to be surplus are as new as can be.
    func run(limit: Int) async throws -> (tried: Int, gone: Int) {
        var (tried, gone) = (0, 0)
        while tried < limit {
            guard let row = try await self.pool.query(Surplus.due(hold: .seconds(60))).first else { break }
            let id: ProviderID = ProviderID(rawValue: try row.decode(String.self))
            tried += 1
            let isGone = await self.delete(id)
            _ = try await self.pool.query(isGone ? Surplus.deleted(id) : Surplus.failed(id))
            if isGone { gone += 1 }
        }
        return (tried, gone)
    }

    /// Returns whether the credential is gone: deleted now, or not found in the account that is the ledger's.
    private func delete(_ id: ProviderID) async -> Bool {
        do throws(TelnyxFailure) {
            _ = try await self.provider.delete(id)
            return true
        } catch  where error.isNotFound {
            return await Witness(pool: self.pool, provider: self.provider).speaksForAccount(without: id)
        } catch {
            return false
        }
    }
}
