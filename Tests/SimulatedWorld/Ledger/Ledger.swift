// SPDX-License-Identifier: Apache-2.0
// The simulated ledger: Dialtone's tables as arrays and dictionaries, and the order in which they are locked.

import Model

/// The tables of the ledger.
///
/// A method of the ledger is one production transaction with the same guards. It runs at one moment of virtual time, so
/// nothing comes between its reads and its writes. `LedgerIntake`, `LedgerClaim` and the other files of this room hold
/// the methods. A method's comment names the production statement that it follows: a change of a guard there belongs
/// here too. The ledger is a value, so a copy of it is a standby, or what a waiting statement has read.
struct Ledger {
    struct User {
        var wanted: Wanted
        var generation: Generation
        var occurredAt: Int
        var status: UserStatus
    }

    struct Job {
        var id: Int
        var user: Int
        var generation: Generation
        var state: JobState
        var epoch = 0
        var worker: Int?
        var leaseUntil = 0
        var quietUntil: Int?
        var runAt: Int
        var isDoubtful = false
        var attempts = 0
        var crashes = 0
        var failures = 0
        var overlap = 0
        /// The wanted generation looks first.
        var mustLook = false
        /// How often the generation was given up.
        var deaths = 0
    }

    struct Credential {
        var user: Int
        var generation: Generation
        var id: Int
        var password: UInt64
        var status: CredentialStatus
        var closeAfter: Int?
        var missingSince: Int?
        var createdAt: Int
        var deletedAt: Int?
    }

    /// A generation whose create may land late.
    struct Doubt {
        var user: Int
        var generation: Generation
        var doubtedAt: Int
        var dueAt: Int
    }

    struct Surplus {
        var id: Int
        var user: Int
        var generation: Generation
        var isDeleted = false
    }

    /// Deliveries that are stored.
    var events: Set<Int> = []
    var users: [Int: User] = [:]
    var jobs: [Job] = []
    var credentials: [Credential] = []
    var doubts: [Doubt] = []
    var surplus: [Surplus] = []
    var strays: Set<Int> = []
    /// The server as the ledger knows it, which stands for the era. The next three fields say what the ledger is worth
    /// in it. All users have one tenant, so trust is the ledger's.
    var started = 0
    var looksFirst = false
    var changedAt = 0
    /// Until when nothing is absent and no list gives trust, because commits may be lost; nil when none are.
    var quietAfterChange: Int?
    var nextJob = 0
    /// Whether two transactions took their locks in opposite orders. Such transactions can wait for each other forever.
    var hasCrossedLocks = false

    enum Lock: Int { case users, jobs }

    /// Declares the locks of a transaction in the order in which it takes them. Every transaction takes users first.
    mutating func lock(_ order: Lock...) {
        if order.map(\.rawValue) != order.map(\.rawValue).sorted() { self.hasCrossedLocks = true }
    }

    /// Returns where the user's job stands in `jobs`. A user has one job at most.
    func jobIndex(ofUser user: Int) -> Int? { self.jobs.firstIndex { $0.user == user } }

    /// Whether this generation is recorded and not deleted.
    func has(_ generation: Generation, of user: Int) -> Bool {
        self.credentials.contains { $0.user == user && $0.generation == generation && $0.status != .deleted }
    }
}
