// SPDX-License-Identifier: Apache-2.0
// Credentials that were missed: each is asked for by its id once more, and its user gets another when it is gone.
//
// A token that could not be minted, or a visit to a tag, notes that a credential is missing. One 404 proves nothing: a
// list or a read may lag, and a key of another organisation sees nothing at all. So the id is asked for again after the
// time in which creates settle. It is gone when that is a 404 too while another known credential answers.

import Foundation
import Logging
import Model
import Postgres
import Queue
import Telnyx

/// A credential that answered 404 once.
struct MissingCredential: Sendable {
    let id: ProviderID
    let user: UserKey
}

/// One question at a time, in the order in which credentials were missed.
struct MissingCredentials: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    let witness: Witness
    /// From the first answer until the second counts.
    let settle: Duration
    /// Whether an operator's word stands in for a witness.
    var believesAbsence = false

    enum Outcome: Sendable, Equatable {
        /// No credential is due to be asked for.
        case nothingDue
        /// It is there.
        case found
        /// It is gone or has expired, and its user gets another.
        case replaced
        /// It answers 404, and so does every witness.
        case unproven
        /// The call has failed, which says nothing.
        case failed
    }

    /// Where the round stands; the first place is before all.
    struct Place: Sendable {
        var since = "-infinity"
        var id = ""
    }

    /// Asks for the next one after `place`, and moves it. After the last one the round begins anew.
    ///
    /// Cancelled here: nothing was changed, or the whole replacement.
    func askNext(after place: inout Place) async throws -> Outcome {
        guard let row = try await self.pool.query(MissingStatements.next(after: place, settle: self.settle)).first
        else {
            place = Place()
            return .nothingDue
        }
        var columns = row.columns
        let user = UserKey(tenant: try columns.next(), user: try columns.next())
        let id: ProviderID = try columns.next()
        place = Place(since: try columns.next(), id: id.rawValue)
        return try await self.decide(MissingCredential(id: id, user: user))
    }

    /// Asks for one that was missed long enough ago, and does what the answer says. When somebody else has decided
    /// meanwhile, nothing is asked.
    ///
    /// Cancelled here: nothing was changed, or the whole replacement.
    func decide(_ missing: MissingCredential) async throws -> Outcome {
        guard let row = try await self.pool.query(MissingStatements.state(of: missing.id)).first else {
            return .replaced
        }
        guard try row.decode(Bool.self) else { return .found }
        switch await self.ask(missing.id) {
        case .there:
            _ = try await self.pool.query(MissingStatements.isThere(missing.id))
            return .found
        case .gone:
            try await self.replace(missing)
            return .replaced
        case .unproven: return .unproven
        case .unknown: return .failed
        }
    }

    private enum Answer { case there, gone, unproven, unknown }

    /// An expired credential is as good as gone: expiry is final at the provider, and a 200 needs no witness.
    private func ask(_ id: ProviderID) async -> Answer {
        do throws(TelnyxFailure) {
            return try await self.provider.retrieve(id).expired ? .gone : .there
        } catch {
            guard error.isNotFound else { return .unknown }
            if self.believesAbsence { return .gone }
            return await self.witness.testimony(without: id) {} == .ours ? .gone : .unproven
        }
    }

    private func replace(_ missing: MissingCredential) async throws {
        let statements = SweepCorrections.reprovision(missing.user, missing.id, .gone)
        for answer in try await self.pool.withConnection({ try await $0.pipeline([statements]) }).joined() {
            _ = try answer.get()
        }
    }
}

extension OnboardingWorker {
    /// Asks for one missing credential a second, and less often when there is none or the answers prove nothing.
    ///
    /// Cancelled here: the question under way is asked again by another.
    func askForMissing() async {
        let missing = MissingCredentials(
            pool: self.pool, provider: self.provider, witness: self.jobRun.witness, settle: self.landingTimeOfCreates)
        var place = MissingCredentials.Place()
        while !Task.isCancelled {
            let outcome = await self.askForOne(missing, after: &place)
            if outcome == .replaced {
                self.wakeup.signal()
                self.logger.notice("a credential is gone at the provider; its user gets another")
            }
            try? await Task.sleep(for: Self.pause(after: outcome) * Double.random(in: 0.75..<1.25))
        }
    }

    private func askForOne(
        _ missing: MissingCredentials, after place: inout MissingCredentials.Place
    ) async -> MissingCredentials.Outcome {
        guard self.identity.terms != nil, (try? await self.provider.allowsCalls()) ?? false else { return .nothingDue }
        return (try? await missing.askNext(after: &place)) ?? .failed
    }

    /// While no witness answers, the key may be another organisation's, and more questions would prove as little.
    private static func pause(after outcome: MissingCredentials.Outcome) -> Duration {
        switch outcome {
        case .found, .replaced: .seconds(1)
        case .nothingDue: .seconds(5)
        case .failed: .seconds(10)
        case .unproven: .seconds(60)
        }
    }
}
