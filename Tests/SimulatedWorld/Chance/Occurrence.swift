// SPDX-License-Identifier: Apache-2.0
// An event of a simulated life. It happens at one moment, and may put others on the agenda.

enum Occurrence {
    /// The worker in this slot has its turn.
    case tick(Int)
    /// A worker's run has all it needs for its create.
    case send(Int, run: Int)
    /// A call arrives at the provider.
    case arrive(Call)
    /// An answer arrives at the worker.
    case reply(Call, Answer)
    /// A sender sends this delivery.
    case webhook(Int)
    /// A delivery is committed after it was acknowledged, by the mutant `acknowledgedBeforeCommit`. The commit fails
    /// when the server has changed.
    case lateCommit(Int, server: Int)
    /// The statement of a delivery has the lock that it waited for. It is lost when the server has changed.
    case lockGiven(Int, statement: Int, server: Int)
    /// After a promotion that lost commits, all senders send again.
    case replay
    /// A transaction commits whose client has given up. It is lost when the server has changed.
    case late((inout Simulation) -> Void, server: Int)
    /// A visit calls the provider, compares its answer with the ledger, and carries out what it has decided.
    case ask(Visit)
    case compare(Visit)
    case carryOut(Visit)
    /// What was decided of names in doubt is carried out.
    case correct([Correction], server: Int)
    case fault
    /// The server goes down, and an image of the ledger is put back.
    case goDown(Ledger)
    case putBack(Ledger)
    /// An operator says what the ledger's new system is.
    case confirm
    /// An operator rotates this user.
    case rotate(Int)
    /// An operator orders the delete of strays.
    case doom
    /// The storm is over: no more faults.
    case peace
    /// An operator tries failed users again.
    case retryFailed
}
