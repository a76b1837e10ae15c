// SPDX-License-Identifier: Apache-2.0
// What one run of a job leaves to be written down.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import Vault

extension JobRun {
    /// Seals what the provider gave. Whatever fails here leaves a credential behind that must be found again: in doubt.
    func own(_ id: ProviderID, _ turn: inout Turn) async -> JobResult {
        do {
            var credential = turn.found
            if credential?.id != id || credential?.sipPassword == nil || credential?.sipUsername == nil {
                credential = try await self.provider.retrieve(id)
            }
            guard let credential, let username = credential.sipUsername, let password = credential.sipPassword else {
                return self.lost(&turn)
            }
            let (user, generation) = (turn.job.user, turn.job.life.generation)
            var sealer = turn.sealer
            if sealer == nil { sealer = try await self.vault.sealer(for: user.tenant.rawValue) }
            guard let sealer else { return self.lost(&turn) }
            return .owned(
                Evidence(
                    lease: turn.job.lease, installation: self.names.id, user: user, generation: generation,
                    providerID: id, name: self.name(turn), tag: turn.job.tag ?? "",
                    sealedUsername: try sealer.seal(
                        username, .credential("sealed_username", of: user, generation: generation, id)),
                    sealedPassword: try sealer.seal(
                        password.reveal(), .credential("sealed_password", of: user, generation: generation, id)),
                    usernameIndex: sealer.blindIndex(username, column: "sip_username"),
                    expiresAt: credential.expiresAt, overlap: turn.job.overlap, trace: turn.trace))
        } catch {
            return self.lost(&turn)
        }
    }

    /// It is there, and could not be taken: the job is in doubt until a look finds it. Nobody's fault that a retry
    /// would count.
    func lost(_ turn: inout Turn) -> JobResult {
        turn.job.life.isDoubtful = true
        turn.hasFailed = true
        turn.trace.errorCode = "found_not_taken"
        self.throttledLog.log(
            "a credential is there and its password is not to be had, or cannot be sealed", level: .error,
            ["tenant": "\(turn.job.user.tenant)"])
        return self.doubt(turn, turn.job.life.backOff, landingTime: self.rules.landingTime)
    }

    func scheduled(_ turn: Turn, _ delay: Duration, isCharged: Bool, dropsTag: Bool) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: .scheduled, delay: delay, isCharged: isCharged,
                isDoubtful: turn.job.life.isDoubtful, empties: turn.job.life.empties, isFailure: turn.hasFailed,
                dropsTag: dropsTag, trace: turn.trace))
    }

    func doubt(
        _ turn: Turn, _ delay: Duration, isCharged: Bool = false, landingTime: Duration? = nil
    ) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: .inDoubt, delay: delay, isCharged: isCharged,
                isDoubtful: turn.job.life.isDoubtful, empties: turn.job.life.empties, isFailure: turn.hasFailed,
                landingTime: landingTime, trace: turn.trace))
    }

    /// Back into doubt as it came.
    func putBack(_ turn: Turn, _ delay: Duration) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: .inDoubt, delay: delay, isDoubtful: turn.job.life.isDoubtful,
                empties: turn.empties, trace: Trace(errorCode: "waits_for_limit")))
    }

    func ending(_ turn: Turn, _ how: Ending.How) -> Ending {
        Ending(
            lease: turn.job.lease, user: turn.job.user, generation: turn.job.life.generation, how: how,
            trace: turn.trace)
    }

    func burial(_ turn: Turn, _ reason: String) -> Burial {
        Burial(
            lease: turn.job.lease, user: turn.job.user, reason: reason, words: turn.words, name: self.name(turn),
            mayExist: turn.job.life.isDoubtful, trace: turn.trace)
    }

    func name(_ turn: Turn) -> String {
        self.names.name(for: turn.job.user, generation: turn.job.life.generation)
    }

    func remember(_ ids: [ProviderID], _ turn: Turn) async {
        // A failure here loses nothing: the next look or sweep finds them again.
        let surplus = Surplus(
            ids: ids, user: turn.job.user, generation: turn.job.life.generation, name: self.name(turn),
            tag: turn.job.tag)
        _ = try? await self.pool.withConnection { try await $0.pipeline([surplus.statements]) }
    }

    /// A new epoch and a new lease, written before the create that absence has permitted.
    func rearm(_ turn: inout Turn) async -> Bool {
        let started = ContinuousClock.now
        let statement = JobQueue.rearm(turn.job.lease, lease: self.lease, landingTime: self.rules.landingTime)
        guard let row = try? await self.pool.query(statement).first, let epoch = try? row.decode(Int64.self) else {
            return false
        }
        turn.job.lease = Lease(job: turn.job.lease.job, epoch: epoch, worker: turn.job.lease.worker, state: .armed)
        turn.leaseEnd = started + self.lease
        return true
    }
}

extension Trace {
    init(_ trace: ProviderTrace, code: String? = nil) {
        self.init(httpStatus: trace.httpStatus, requestID: trace.requestID, errorCode: code)
    }
}
