// SPDX-License-Identifier: Apache-2.0
// The rules for a simulated worker that sends a create, deletes a credential or writes one down.

import Lifecycle
import Model

extension Simulation {
    /// A worker that sends a create holds the job. Exceptions are a clock that has jumped, a server whose commits are
    /// lost, and a worker that was taken for dead. Returns whether it holds the job.
    mutating func holds(_ run: Run) -> Bool {
        let isHeld = self.ledger.jobs.contains {
            $0.id == run.lease.job && $0.epoch == run.lease.epoch && $0.worker == run.lease.worker
                && $0.state == .armed && $0.leaseUntil > self.serverNow
        }
        let isExcused =
            self.hasJumped || self.hasLostCommits && run.server != self.server
            || self.deadBoots[run.lease.worker] != nil
        if !isHeld && !isExcused {
            self.fail("a create for user \(run.user) without authority")
        }
        // Another server may have lost what was claimed, and sent, since the claim.
        if run.armedBy != run.server {
            self.fail("a create for user \(run.user) that server \(run.armedBy) has armed, and not its claim's")
        }
        return isHeld
    }

    /// A credential that serves is not deleted before its successor is there. A revoke has closed its credentials
    /// first. A worker that knows another server may be wrong.
    mutating func checkDelete(_ id: Int, _ run: Run) {
        if run.server == self.server, self.ledger.started == self.server, self.ledger.isStopped {
            self.fail("credential \(id) is deleted before an operator has spoken")
        }
        guard run.server == self.server, self.ledger.started == self.server,
            let user = self.ledger.users[run.user], user.wanted == .live,
            self.ledger.credentials.contains(where: { $0.id == id && $0.status == .active })
        else { return }
        if !self.ledger.has(user.generation, of: run.user) {
            self.fail("credential \(id) is deleted while it is all user \(run.user) has")
        }
    }

    /// Returns the key of a credential's name. Names are equal when user and generation are.
    static func name(_ user: Int, _ generation: Generation) -> Int { user * 1000 + Int(generation) }
    func name(_ user: Int, _ generation: Generation) -> Int { Self.name(user, generation) }

    /// After a create whose outcome nobody knows, another create needs a thorough look that has found nothing.
    ///
    /// A clock that jumped ahead may have ended this run's lease too early, on a server that is lost now. Another worker
    /// has looked and created there. The new server knows the old claim only, and has given it a lease.
    mutating func checkProof(_ run: Run) {
        self.checkLost(run)
        let name = self.name(run.user, run.life.generation)
        let isExcused = run.jumpsWhenArmed < self.jumpsAhead && run.server != self.server
        if let proof = self.proofs[name], proof.isOpen, !proof.isAbsent, !isExcused {
            self.fail("a second create for user \(run.user) without a thorough look")
        }
        self.proofs[name] = Proof(landsUntil: self.now + Times.landingTime, isOpen: true)
    }

    /// A create that no look has preceded has no credential of its name beside it that was there when commits were
    /// lost, unless an operator has ordered its delete, or no list could reach its shard. Every list that gives trust
    /// was made when such a credential had landed and was shown.
    private mutating func checkLost(_ run: Run) {
        guard let landedBefore, run.lookBegan == 0, !self.hasJumped else { return }
        let doomed = Set(self.ledger.strays.filter(\.isRefused).map(\.id))
        let lost = self.provider.live.first {
            $0.user == run.user && $0.generation == run.life.generation && $0.createdAt <= landedBefore
                && !doomed.contains($0.id) && !self.behindGap.contains($0.id)
        }
        if let lost { self.fail("a create for user \(run.user) beside credential \(lost.id), which was lost") }
    }

    /// Notes what the lists that gave trust could not reach: a shard that the ledger has forgotten, behind an empty
    /// one. Only the walk over the account finds what is there.
    mutating func noteGap() {
        let hidden = self.provider.live.filter { found in
            self.ledger.tagIndex(found.tag) == nil && !self.provider.live.contains { $0.tag == found.tag - 1 }
        }
        self.behindGap = Set(hidden.map(\.id))
    }

    /// Notes that a look for the run's name has found nothing. It proves absence when it asked for the name and listed
    /// the tag, and both when no create could land any more. A clock that has jumped may be early.
    mutating func noteAbsence(_ run: Run) {
        let name = self.name(run.user, run.life.generation)
        guard let proof = self.proofs[name], run.isThorough else { return }
        if run.lookBegan >= proof.landsUntil || self.hasJumped { self.proofs[name]?.isAbsent = true }
    }

    /// From now on the next create of this name needs a new look: its job has died, or the sweep has seen a credential.
    mutating func demandLook(_ user: Int, _ generation: Generation) {
        self.proofs[self.name(user, generation)] = Proof(landsUntil: 0, isOpen: true)
    }

    /// A provider id that a worker has written is never forgotten. It stands in the ledger, or its user has a job that
    /// will find it, or the ledger itself has lost its generation.
    mutating func checkEvidence(_ run: Run, _ id: Int) {
        let isKept =
            self.ledger.credentials.contains { $0.id == id } || self.ledger.surplus.contains { $0.id == id }
            || self.ledger.jobIndex(ofUser: run.user) != nil
            || (self.ledger.users[run.user]?.generation ?? 0) < run.life.generation
        if !isKept { self.fail("evidence of credential \(id) was dropped") }
    }
}
