// SPDX-License-Identifier: Apache-2.0
// What must hold of a simulated worker whenever it sends, deletes or writes down what it was given.

import Lifecycle
import Model

extension Simulation {
    /// Whoever sends holds the job, unless a clock has jumped, the commits of its server are lost, or it was taken for
    /// dead.
    mutating func holds(_ run: Run) -> Bool {
        let isHeld = self.database.jobs.contains {
            $0.id == run.lease.job && $0.epoch == run.lease.epoch && $0.worker == run.lease.worker
                && $0.state == .armed && $0.leaseUntil > self.databaseNow
        }
        let isExcused =
            self.hasJumped || self.hasLostCommits && run.server != self.server
            || self.deadBoots[run.lease.worker] != nil
        if !isHeld && !isExcused {
            self.fail("a create for user \(run.user) without authority")
        }
        return isHeld
    }

    /// What serves is not deleted before its successor is there. A revoke has closed it first; a worker whose knowledge
    /// is of another server may be wrong.
    mutating func checkDelete(_ id: Int, _ run: Run) {
        guard run.server == self.server, self.database.started == self.server,
            let user = self.database.users[run.user], user.wanted == .live,
            self.database.credentials.contains(where: { $0.id == id && $0.status == .active })
        else { return }
        if !self.database.has(user.generation, of: run.user) {
            self.fail("credential \(id) is deleted while it is all user \(run.user) has")
        }
    }

    func name(_ user: Int, _ generation: Generation) -> Int { user * 1000 + Int(generation) }

    /// After a create whose outcome nobody knows, another needs two empty answers.
    mutating func checkProof(_ run: Run) {
        let name = self.name(run.user, run.life.generation)
        if let proof = self.proofs[name], proof.isOpen, proof.empties < 2 {
            self.fail("a second create for user \(run.user) after \(proof.empties) empty answers")
        }
        self.proofs[name] = Proof(empties: 0, isOpen: true)
    }

    mutating func empty(_ run: Run) {
        self.proofs[self.name(run.user, run.life.generation)]?.empties += 1
    }

    /// A provider id that somebody wrote down is never forgotten: it stands in the ledger, or its user has a job that
    /// will find it, or it is of a generation the ledger itself has lost.
    mutating func checkEvidence(_ run: Run, _ id: Int) {
        let isKept =
            self.database.credentials.contains { $0.id == id } || self.database.surplus.contains { $0.id == id }
            || self.database.place(ofUser: run.user) != nil
            || (self.database.users[run.user]?.generation ?? 0) < run.life.generation
        if !isKept { self.fail("evidence of credential \(id) was dropped") }
    }
}
