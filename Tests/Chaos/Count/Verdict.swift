// SPDX-License-Identifier: Apache-2.0
// The count: what was acknowledged, what is wanted, and whether the ledger and the provider say the same.

import Composition
import Foundation
import Model
import Postgres

/// The outcome of a chaos run, as it is printed.
///
/// Three records are held against each other: the senders' (what was acknowledged, who is wanted), the ledger's, and
/// the provider's. A run passes when they agree. It must also have shown something: a long run in which a fault never
/// occurred has tested nothing, and that is a finding too.
struct Verdict: Encodable {
    var rounds: Int
    /// The rounds by their trouble.
    var troubles: [String: Int]
    /// Fail-overs in which the primary crashed for good, and those in which it came back as the standby.
    var failovers: Int
    var switchovers: Int
    /// The process that went through PgBouncer, or "none" where there is no PgBouncer.
    var pooled: String
    /// Credentials that were deleted at the provider behind Dialtone's back.
    var vanished: Int
    var eventsAcknowledged: Int
    var users: Int
    var usersWanted: Int
    var credentialsAtProvider: Int
    var creates: Int
    /// Users with more than one live credential.
    var duplicates = 0
    /// Acknowledged events that are not in the ledger, users who lack their credential, and users who should have none.
    var lost = 0
    var wrongPasswords = 0
    var surplusDeleted: Int
    /// Users who were seen at some moment with what is not wanted and without a job.
    var forgotten: Int
    /// How often the watch looked for such users.
    var looks: Int
    /// Rotations that were accepted.
    var rotated: Int
    /// Creates that reached the provider and whose answer the network lost, and those it held back.
    var unansweredCreates: Int
    var heldCreates: Int
    /// Connections to the database whose bytes a black hole held, and those of them that then died.
    var heldDatabaseConnections: Int
    var cutDatabaseConnections: Int
    var longReaders: LongReaders.Counts
    var tokens: TokenCounts
    /// Users who had failed at the end and were tried again, as an operator would, and how often that was done.
    var triedAgain: Int
    var retries: Int
    /// Breakers that were open, or half open, because of refusals when the last round was over.
    var breakersOpen: Int
    /// Repairs by the sweeps at the end. Repairs by the workers' own sweeps are not counted.
    var repaired: Settling.Repaired
    /// Whether a program that shares nothing with ours counts the same.
    var outsideAgrees = false
    /// Milliseconds from the moment a job's worker was found gone to the job's end. In the first figure the job's
    /// create was found; in the second a new one had to be made.
    var recoveryFoundMs: Recovery
    var recoveryAbsentMs: Recovery
    /// Every difference as a sentence.
    var findings: [String] = []

    var isClean: Bool { self.duplicates == 0 && self.lost == 0 && self.wrongPasswords == 0 && self.findings.isEmpty }

    /// The simulator's own list of live credentials.
    struct Held: Decodable {
        struct One: Decodable {
            var id: String
            var name: String
            var sip_password: String
        }
        var data: [One]
    }

    /// Waits until the deployment is at rest, and counts.
    static func reach(
        _ deployment: Deployment, _ senders: Senders, _ watch: Watch, _ tokens: TokenClient, _ made: MadeTrouble,
        _ cluster: Cluster
    ) async throws -> Verdict {
        let pool = PostgresPool(.init(try SharedParts.database(deployment.settings)))
        return try await Administration.running(pool) { pool in
            let settling = try await Settling.reach(deployment, watch, pool)
            let held = try await deployment.ask("/control/credentials?secrets=1", for: Held.self).data
            var verdict = Verdict(
                rounds: made.rounds, troubles: made.counts, failovers: cluster.failovers,
                switchovers: cluster.switchovers, pooled: deployment.pooled ?? "none", vanished: made.vanished,
                eventsAcknowledged: senders.acknowledged.count,
                users: senders.wanted.count, usersWanted: senders.wanted.values.count { $0.wanted == .live },
                credentialsAtProvider: held.count,
                creates: try await deployment.counts().names.values.reduce(0) { $0 + $1.creates },
                surplusDeleted: try await pool.number(
                    "select count(*) from dialtone.surplus where deleted_at is not null"),
                forgotten: watch.forgotten.count, looks: watch.looks, rotated: senders.rotated,
                unansweredCreates: deployment.relays.total(\.unansweredCreates),
                heldCreates: deployment.relays.total(\.heldCreates),
                heldDatabaseConnections: deployment.databaseRelays.total(\.heldConnections),
                cutDatabaseConnections: deployment.databaseRelays.total(\.cutConnections),
                longReaders: deployment.readers.counts, tokens: tokens.counts,
                triedAgain: settling.triedAgain.count, retries: settling.retries,
                breakersOpen: settling.breakersOpen, repaired: settling.repaired,
                recoveryFoundMs: try await Recovery.measure(pool, isFound: true),
                recoveryAbsentMs: try await Recovery.measure(pool, isFound: false))
            verdict.findings += watch.findings + verdict.tokens.findings
            try await verdict.compareEvents(senders, pool)
            try await verdict.compareUsers(senders, held, deployment, pool)
            verdict.demand()
            return verdict
        }
    }

    /// Demands that the last sweeps found nothing to repair, and that every kind of trouble has occurred in a long run.
    private mutating func demand() {
        if self.repaired.enqueued > 0 {
            self.findings.append("the last sweeps found \(self.repaired.enqueued) users without a job")
        }
        if self.rounds >= 20 && self.rotated == 0 { self.findings.append("no rotation was accepted") }
        if self.rounds >= 100 && self.unansweredCreates == 0 {
            self.findings.append("the network never lost the answer of a create that had arrived")
        }
        if self.rounds >= 100 && self.vanished == 0 { self.findings.append("no credential was ever lost") }
        if self.rounds >= 100 && self.surplusDeleted == 0 {
            self.findings.append("no second credential was ever made, so that none was seen to be deleted")
        }
        if self.rounds >= 20 && self.tokens.handed == 0 { self.findings.append("no token was ever handed out") }
        if self.rounds >= 100 && self.tokens.revoked == 0 {
            self.findings.append("no token was ever refused because of a revoke")
        }
        if self.rounds >= 100 && self.heldDatabaseConnections == 0 {
            self.findings.append("the database was never a black hole to a connection in use")
        }
    }

    /// Counts acknowledged events that the ledger does not have.
    private mutating func compareEvents(_ senders: Senders, _ pool: PostgresPool) async throws {
        var known: Set<String> = []
        for row in try await pool.query("select coalesce(sent_id, delivery_id) from dialtone.events") {
            known.insert(try row.decode(String.self))
        }
        let missing = senders.acknowledged.subtracting(known)
        self.lost += missing.count
        if !missing.isEmpty { self.findings.append("\(missing.count) acknowledged events are not in the ledger") }
    }
}
