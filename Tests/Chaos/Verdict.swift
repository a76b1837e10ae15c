// SPDX-License-Identifier: Apache-2.0
// The count: what was acknowledged, what is wanted, what the provider has, and whether ledger and provider say the
// same.

import Composition
import Foundation
import Model
import Postgres
import Vault

struct Verdict: Encodable {
    struct Recovery: Encodable {
        var p50: Double
        var p99: Double
    }

    var rounds: Int
    var failovers: Int
    /// Credentials that were deleted at the provider by somebody else.
    var vanished: Int
    var eventsAcknowledged: Int
    var users: Int
    var usersWanted: Int
    var credentialsAtProvider: Int
    var creates: Int
    /// Users with more than one live credential.
    var duplicates = 0
    /// Acknowledged events that are not in the ledger, users who lack their credential, and those who should have none.
    var lost = 0
    var wrongPasswords = 0
    var surplusDeleted: Int
    /// Users who were seen at some moment with what is not wanted and without a job, in all the looks there were.
    var forgotten: Int
    var looks: Int
    /// Rotations that were accepted.
    var rotated: Int
    /// Creates that reached the provider and whose answer the network lost, and those it held back.
    var unansweredCreates: Int
    var heldCreates: Int
    /// Users who had failed at the end and were tried again, as an operator would, and how often that was done.
    var triedAgain: Int
    var retries: Int
    /// Scopes that were closed, or half open, because of refusals when the last round was over.
    var breakersOpen: Int
    /// What the sweeps at the end put right, besides those of the workers.
    var repaired: Rest.Repaired
    /// Whether a program that shares nothing with ours counts the same.
    var outsideAgrees = false
    /// Milliseconds from the moment a job's worker was found gone to the job's end: when its create was found, and when
    /// a new one had to be made.
    var recoveryFoundMs: Recovery
    var recoveryAbsentMs: Recovery
    /// What differs, for a person; empty when nothing does.
    var findings: [String] = []

    var isClean: Bool { self.duplicates == 0 && self.lost == 0 && self.wrongPasswords == 0 && self.findings.isEmpty }

    private struct Held: Decodable {
        struct One: Decodable {
            var id: String
            var name: String
            var sip_password: String
        }
        var data: [One]
    }

    static func reach(
        _ town: Town, _ senders: Senders, _ watch: Watch, rounds: Int, failovers: Int, vanished: Int
    ) async throws -> Verdict {
        let pool = PostgresPool(.init(try Foundations.database(town.settings)))
        return try await Administration.running(pool) { pool in
            let rest = try await Rest.reach(town, watch, pool)
            let held = try await town.ask("/control/credentials?secrets=1", for: Held.self).data
            var verdict = Verdict(
                rounds: rounds, failovers: failovers, vanished: vanished,
                eventsAcknowledged: senders.acknowledged.count,
                users: senders.wanted.count, usersWanted: senders.wanted.values.count { $0.wanted == .live },
                credentialsAtProvider: held.count,
                creates: try await town.counts().names.values.reduce(0) { $0 + $1.creates },
                surplusDeleted: try await pool.number(
                    "select count(*) from dialtone.surplus where deleted_at is not null"),
                forgotten: watch.forgotten.count, looks: watch.looks, rotated: senders.rotated,
                unansweredCreates: town.relays.reduce(0) { $0 + $1.unansweredCreates },
                heldCreates: town.relays.reduce(0) { $0 + $1.heldCreates },
                triedAgain: rest.triedAgain.count, retries: rest.retries, breakersOpen: rest.breakersOpen,
                repaired: rest.repaired,
                recoveryFoundMs: try await Self.recovery(pool, isFound: true),
                recoveryAbsentMs: try await Self.recovery(pool, isFound: false))
            for (user, how) in watch.forgotten.sorted(by: { $0.key < $1.key }) {
                verdict.findings.append("\(user) was forgotten: \(how)")
            }
            try await verdict.compareEvents(senders, pool)
            try await verdict.compareUsers(senders, held, town, pool)
            verdict.demand()
            return verdict
        }
    }

    /// A run in which what it is for never happened has shown nothing.
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
    }

    private mutating func compareEvents(_ senders: Senders, _ pool: PostgresPool) async throws {
        var known: Set<String> = []
        for row in try await pool.query("select delivery_id from dialtone.events") {
            known.insert(try row.decode(String.self))
        }
        let missing = senders.acknowledged.subtracting(known)
        self.lost += missing.count
        if !missing.isEmpty { self.findings.append("\(missing.count) acknowledged events are not in the ledger") }
    }

    private mutating func compareUsers(
        _ senders: Senders, _ held: [Held.One], _ town: Town, _ pool: PostgresPool
    ) async throws {
        let vault = try Foundations(town.settings, connections: 2)
        var ledger: [String: [(id: String, name: String, password: String)]] = [:]
        try await Administration.running(vault.pool) { _ in
            for row in try await pool.query(
                """
                select tenant_id, user_id, generation, provider_id, name, sealed_password from dialtone.credentials
                where status <> 'deleted'
                """)
            {
                var columns = row.columns
                let user = UserKey(tenant: try columns.next(), user: try columns.next())
                let generation: Generation = try columns.next()
                let id: ProviderID = try columns.next()
                let name: String = try columns.next()
                let sealed: Bytes = try columns.next()
                let password = try await vault.vault.open(
                    sealed.value, .credential("sealed_password", of: user, generation: generation, id))
                ledger[user.user.rawValue, default: []].append((id.rawValue, name, password.reveal()))
            }
        }
        let provider = Dictionary(grouping: held, by: \.id)
        var blamed: [String] = []
        for (user, word) in senders.wanted.sorted(by: { $0.key < $1.key }) {
            let own = ledger[user] ?? []
            guard word.wanted == .live else {
                if !own.isEmpty {
                    self.lose("\(user) is gone and has \(own.count)")
                    blamed.append(user)
                }
                continue
            }
            guard own.count == 1, let there = provider[own[0].id]?.first else {
                self.lose("\(user) is wanted and has \(own.count) in the ledger")
                blamed.append(user)
                continue
            }
            if there.sip_password != own[0].password {
                self.wrongPasswords += 1
                self.findings.append("\(user): the password differs")
                blamed.append(user)
            }
        }
        let recorded = Set(ledger.values.joined().map(\.id))
        for one in held where !recorded.contains(one.id) {
            self.duplicates += 1
            self.findings.append("\(one.name) is at the provider and not in the ledger")
        }
        try await Evidence.tell(blamed, pool)
    }

    private mutating func lose(_ what: String) {
        self.lost += 1
        self.findings.append(what)
    }

    /// From the log: a job whose worker was gone, or whose lease was over, to the moment it was owned or ended.
    private static func recovery(_ pool: PostgresPool, isFound: Bool) async throws -> Recovery {
        let rows = try await pool.query(
            """
            select coalesce(percentile_cont(0.5) within group (order by took), 0)::float8,
                   coalesce(percentile_cont(0.99) within group (order by took), 0)::float8
            from (select extract(epoch from e.at - r.at) * 1000 as took,
                         exists (select 1 from dialtone.job_log a
                                 where a.job_id = r.job_id and a.from_state = 'looking' and a.to_state = 'armed'
                                   and a.at between r.at and e.at) as is_new
                  from dialtone.job_log r cross join lateral (
                      select min(e.at) as at from dialtone.job_log e
                      where e.tenant_id = r.tenant_id and e.user_id = r.user_id and e.at > r.at
                        and e.to_state in ('owned', 'ended', 'queued')) e
                  where r.error_code in ('worker_gone', 'lease_expired') and e.at is not null) t
            where is_new <> \(isFound)
            """)
        guard let (p50, p99) = try rows.first?.decode(Double.self, Double.self) else { return Recovery(p50: 0, p99: 0) }
        return Recovery(p50: p50.rounded(), p99: p99.rounded())
    }
}
