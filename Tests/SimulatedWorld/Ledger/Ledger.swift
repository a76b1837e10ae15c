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
        var occurredAt: Int?
        var status: UserStatus
        /// When the word came that stands.
        var receivedAt = 0
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
        /// The shard in which it holds a slot.
        var tag: Int?
        /// Whether it waits until its scope is stopped no more.
        var isAside = false
        /// Whether something was wanted or seen of its user while a worker held it. Then it is not set aside.
        var isAwaited = false

        /// Whether this is the same job in the same place, as a claim finds it that has read `other`.
        func isSameClaim(as other: Job) -> Bool {
            self.id == other.id && self.epoch == other.epoch && self.generation == other.generation
                && self.state == other.state
        }
    }

    struct Credential {
        var user: Int
        var generation: Generation
        var id: Int
        var password: UInt64
        /// The shard of the tenant's tag that it bears.
        var tag: Int
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
        var tag: Int
        var foundAt: Int
        var isDeleted = false
    }

    /// Surplus of nobody: a credential under one of our names whose user the ledger does not know.
    struct Stray {
        var id: Int
        /// The key of its name.
        var name: Int
        var tag: Int
        var foundAt: Int
        /// When an operator has ordered its delete.
        var doomedAt: Int?
        var isDeleted = false
        /// Whether no job may record it.
        var isRefused: Bool { self.doomedAt != nil }
        /// Whether it is there, as far as the ledger knows, and a job may adopt it.
        var isOpen: Bool { self.doomedAt == nil && !self.isDeleted }
    }

    /// Deliveries that are stored.
    var events: Set<Int> = []
    var users: [Int: User] = [:]
    var jobs: [Job] = []
    var credentials: [Credential] = []
    var doubts: [Doubt] = []
    var surplus: [Surplus] = []
    var strays: [Stray] = []
    var tags = [Tag(shard: 1)]
    /// The shard that claims take slots from.
    var openShard = 1
    /// When the account's pages are read again.
    var walkDueAt = 0
    /// The server as the ledger knows it, which stands for the era. The next fields say what the ledger is worth in it.
    /// All users have one tenant.
    var started = 0
    /// The era in which the tenant was seen.
    var seenEra: Int?
    var changedAt = 0
    /// Until when nothing is absent and no list gives trust, because commits may be lost; nil when none are.
    var quietAfterChange: Int?
    /// Whether nothing is deleted until an operator says what the ledger's system is.
    var isStopped = false
    /// Until when the breaker of the tenant's connection is open.
    var stoppedUntil = 0
    var nextJob = 0
    /// Whether every create looks first, because the tenant is not seen.
    var looksFirst: Bool { self.seenEra != self.started }
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
