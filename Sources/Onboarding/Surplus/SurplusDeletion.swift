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
                    if result.tried == 16, result.heldFor == nil { continue }
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

    struct Result {
        var tried = 0
        var gone: [ProviderID] = []
        /// How long calls are held back; nil: they are not. Nothing more was tried then.
        var heldFor: Duration?
    }

    /// Deletes what is due, so many at most.
    ///
    /// Each is taken just before its call, so that the rows that prove it to be surplus are as new as can be. So the
    /// provider must not wait by itself (`CallPatience`): what is held back is due again later, and is judged anew.
    ///
    /// Cancelled here: what was taken comes again in two minutes.
    func run(limit: Int) async throws -> Result {
        var result = Result()
        while result.tried < limit, result.heldFor == nil {
            let rows = try await self.pool.query(Surplus.due(of: self.tenant))
            guard !rows.isEmpty else { break }
            guard let (id, owner) = try Self.taken(rows) else { continue }
            result.tried += 1
            switch try await self.finish(id, owner) {
            case .gone: result.gone.append(id)
            case .stays: break
            case .heldBack(let wait): result.heldFor = wait
            }
        }
        return result
    }

    private static func taken(_ rows: PostgresRows) throws -> (id: ProviderID, owner: ProviderID?)? {
        for row in rows {
            let (id, isTaken, owner) = try row.decode(String.self, Bool.self, String?.self)
            if isTaken { return (ProviderID(rawValue: id), owner.map { ProviderID(rawValue: $0) }) }
        }
        return nil
    }

    /// What became of one row.
    private enum Outcome {
        case gone, stays
        /// The provider takes no calls for so long.
        case heldBack(Duration)
    }

    /// Deletes one credential, unless its owner does not answer.
    ///
    /// Cancelled here: the next deleter repeats what was under way.
    private func finish(_ id: ProviderID, _ owner: ProviderID?) async throws -> Outcome {
        if let owner {
            switch await self.ask(owner) {
            case .there: break
            case .missing:
                _ = try await self.pool.query(Surplus.ownerIsMissing(owner))
                _ = try await self.pool.query(Surplus.putOff(id, first: .seconds(60)))
                return .stays
            case .unproven:
                _ = try await self.pool.query(Surplus.putOff(id, first: .seconds(60)))
                return .stays
            case .heldBack(let wait): return try await self.holdBack(id, wait)
            }
        }
        switch await self.delete(id) {
        case .gone:
            _ = try await self.pool.query(Surplus.deleted(id))
            return .gone
        case .stays:
            _ = try await self.pool.query(Surplus.putOff(id, first: .seconds(1)))
            return .stays
        case .heldBack(let wait): return try await self.holdBack(id, wait)
        }
    }

    /// A call that was not made is no try.
    private func holdBack(_ id: ProviderID, _ wait: Duration) async throws -> Outcome {
        _ = try await self.pool.query(Surplus.holdBack(id, for: wait))
        return .heldBack(wait)
    }

    /// What the provider says of the credential that owns the generation.
    private enum Word { case there, missing, unproven, heldBack(Duration) }

    private func ask(_ owner: ProviderID) async -> Word {
        do throws(TelnyxFailure) {
            _ = try await self.provider.retrieve(owner)
            return .there
        } catch {
            if error.kind == .rateLimited { return .heldBack(error.retryAfter ?? .seconds(1)) }
            return error.isNotFound ? .missing : .unproven
        }
    }

    /// It is gone when it was deleted now, or is not found in the account that is the ledger's.
    private func delete(_ id: ProviderID) async -> Outcome {
        do throws(TelnyxFailure) {
            _ = try await self.provider.delete(id)
            return .gone
        } catch {
            if error.kind == .rateLimited { return .heldBack(error.retryAfter ?? .seconds(1)) }
            guard error.isNotFound else { return .stays }
            let witness = Witness(pool: self.pool, provider: self.provider)
            return await witness.speaksForAccount(without: id) ? .gone : .stays
        }
    }
}
