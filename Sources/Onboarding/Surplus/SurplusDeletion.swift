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
                    self.metrics.surplusDeleted.add(result.gone.count)
                    if result.tried == 16 { continue }
                }
            }
            await self.rest()
        }
    }
}

/// Deletes what `Surplus.due` allows. A second credential goes only while its owner answers by id: the ledger's word
/// that another id owns the generation is old, and the provider may have lost that one since.
struct SurplusDeletion: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    /// The only tenant whose surplus it deletes; nil for all.
    var tenant: TenantID?

    /// Returns how many were tried, and which are gone.
    ///
    /// Each is taken just before its call, so that the rows that prove it to be surplus are as new as can be.
    ///
    /// Cancelled here: what was taken comes again in two minutes.
    func run(limit: Int) async throws -> (tried: Int, gone: [ProviderID]) {
        var (tried, gone): (Int, [ProviderID]) = (0, [])
        while tried < limit {
            let rows = try await self.pool.query(Surplus.due(of: self.tenant))
            guard !rows.isEmpty else { break }
            guard let (id, owner) = try Self.taken(rows) else { continue }
            tried += 1
            if try await self.finish(id, owner) { gone.append(id) }
        }
        return (tried, gone)
    }

    private static func taken(_ rows: PostgresRows) throws -> (id: ProviderID, owner: ProviderID?)? {
        for row in rows {
            let (id, isTaken, owner) = try row.decode(String.self, Bool.self, String?.self)
            if isTaken { return (ProviderID(rawValue: id), owner.map { ProviderID(rawValue: $0) }) }
        }
        return nil
    }

    /// Deletes one credential, unless its owner does not answer. Returns whether it is gone.
    ///
    /// Cancelled here: the next deleter repeats what was under way.
    private func finish(_ id: ProviderID, _ owner: ProviderID?) async throws -> Bool {
        if let owner {
            switch await self.ask(owner) {
            case .there: break
            case .missing:
                _ = try await self.pool.query(Surplus.ownerIsMissing(owner))
                _ = try await self.pool.query(Surplus.putOff(id, first: .seconds(60)))
                return false
            case .unproven:
                _ = try await self.pool.query(Surplus.putOff(id, first: .seconds(60)))
                return false
            }
        }
        let isGone = await self.delete(id)
        _ = try await self.pool.query(isGone ? Surplus.deleted(id) : Surplus.putOff(id, first: .seconds(1)))
        return isGone
    }

    /// What the provider says of the credential that owns the generation.
    private enum Word { case there, missing, unproven }

    private func ask(_ owner: ProviderID) async -> Word {
        do throws(TelnyxFailure) {
            _ = try await self.provider.retrieve(owner)
            return .there
        } catch {
            return error.isNotFound ? .missing : .unproven
        }
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
