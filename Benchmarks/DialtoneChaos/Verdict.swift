// SPDX-License-Identifier: Apache-2.0
// The count: what was acknowledged, what is wanted, what the provider has, and whether ledger and provider say the same.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Postgres
import Vault

struct Verdict: Encodable {
    struct Recovery: Encodable {
        var p50: Double
        var p99: Double
    }

    var rounds: Int
    var failovers: Int
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
    /// Users who had failed at the end and were tried again, as an operator would, and how often that was done.
    var triedAgain: Int
    var retries: Int
    /// Scopes at the end where nothing, or little, was sent any more because of refusals.
    var breakersOpen: Int
    /// Whether a program that shares nothing with ours counts the same.
    var outsideAgrees = false
    /// Milliseconds from the moment a job's worker was found gone to the job's end: when its create was found, and when a new
    /// one had to be made.
    var recoveryFoundMs: Recovery
    var recoveryAbsentMs: Recovery
    /// What differs, for a person; empty when nothing does.
    var findings: [String] = []

    /// A long run in which nobody ever had two credentials has not tried what it is for.
    private mutating func demand() {
        if self.rounds >= 100 && self.surplusDeleted == 0 {
            self.findings.append("no second credential was ever made, so that none was seen to be deleted")
        }
    }

    var isClean: Bool { self.duplicates == 0 && self.lost == 0 && self.wrongPasswords == 0 && self.findings.isEmpty }

    private struct Held: Decodable {
        struct One: Decodable {
            var id: String
            var name: String
            var sip_password: String
        }
        var data: [One]
    }

    /// Who had to be tried again, and how often.
    private struct Again {
        var users: Set<UserKey> = []
        var retries = 0
    }

    private struct Counts: Decodable {
        struct One: Decodable { var creates: Int }
        var unsettled: Int
        var names: [String: One]
    }

    static func reach(_ town: Town, _ senders: Senders, rounds: Int, failovers: Int) async throws -> Verdict {
        let pool = PostgresPool(.init(try Foundations.database(town.settings)))
        return try await Administration.running(pool) { pool in
            try await Self.waitForLateCreates(town)
            let breakersOpen = try await Self.number(
                "select count(*) from dialtone.provider_limits where breaker <> 'closed'", pool)
            let again = try await Self.settle(town, pool)
            let held = try JSONDecoder().decode(
                Held.self, from: try await Self.get(town, "/control/credentials?secrets=1")
            ).data
            let counts = try JSONDecoder().decode(Counts.self, from: try await Self.get(town, "/control/counts"))
            var verdict = Verdict(
                rounds: rounds, failovers: failovers, eventsAcknowledged: senders.acknowledged.count,
                users: senders.wanted.count, usersWanted: senders.wanted.values.count { $0.wanted == .live },
                credentialsAtProvider: held.count, creates: counts.names.values.reduce(0) { $0 + $1.creates },
                surplusDeleted: try await Self.number(
                    "select count(*) from dialtone.surplus where deleted_at is not null", pool),
                triedAgain: again.users.count, retries: again.retries, breakersOpen: breakersOpen,
                recoveryFoundMs: try await Self.recovery(pool, isFound: true),
                recoveryAbsentMs: try await Self.recovery(pool, isFound: false))
            try await verdict.compareEvents(senders, pool)
            try await verdict.compareUsers(senders, held, town, pool)
            verdict.demand()
            return verdict
        }
    }

    /// What is still on its way at the provider would land after the count.
    private static func waitForLateCreates(_ town: Town) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let counts = try? JSONDecoder().decode(Counts.self, from: try await Self.get(town, "/control/counts"))
            if counts?.unsettled == 0 { return }
            guard ContinuousClock.now < deadline else { throw ChaosError.late("the last create") }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Until nothing is to be done any more, twice in a row. What fails on the way, because a server is still coming back, is
    /// asked again.
    private static func settle(_ town: Town, _ pool: PostgresPool) async throws -> Again {
        var again = Again()
        // A breaker is open for half a minute, and then lets one create through.
        let deadline = ContinuousClock.now + .seconds(420)
        var quiet = 0
        while quiet < 2 {
            guard ContinuousClock.now < deadline else { throw ChaosError.late("the end of all jobs") }
            let isQuiet = (try? await Self.isQuiet(town, pool, &again)) ?? false
            quiet = isQuiet ? quiet + 1 : 0
            try await Task.sleep(for: .seconds(1))
        }
        return again
    }

    /// Tries failed users again, sweeps to the end, and says whether that found nothing and nothing is left.
    private static func isQuiet(
        _ town: Town, _ pool: PostgresPool, _ again: inout Again
    ) async throws -> Bool {
        for row in try await pool.query("select tenant_id, user_id from dialtone.users where status = 'failed'") {
            let (tenant, user) = try row.decode(String.self, String.self)
            let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
            again.users.insert(key)
            again.retries += 1
            _ = try? await Administration(town.settings).retry(key)
        }
        var options = SweepOptions()
        options.isConfirmed = true
        let report = try await Administration(town.settings).sweep(options)
        let open = try await Self.number(
            """
            select (select count(*) from dialtone.jobs)
                 + (select count(*) from dialtone.surplus where deleted_at is null)
                 + (select count(*) from dialtone.users where status not in ('ready', 'revoked'))
            """, pool)
        return open == 0 && report.surplus + report.missing + report.reprovisioned + report.reopened == 0
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
        for (user, word) in senders.wanted.sorted(by: { $0.key < $1.key }) {
            let own = ledger[user] ?? []
            guard word.wanted == .live else {
                if !own.isEmpty { self.blame("\(user) is gone and has \(own.count)", isLost: true) }
                continue
            }
            guard own.count == 1, let there = provider[own[0].id]?.first else {
                self.blame("\(user) is wanted and has \(own.count) in the ledger", isLost: true)
                continue
            }
            if there.sip_password != own[0].password {
                self.wrongPasswords += 1
                self.findings.append("\(user): the password differs")
            }
        }
        let recorded = Set(ledger.values.joined().map(\.id))
        for one in held where !recorded.contains(one.id) {
            self.duplicates += 1
            self.findings.append("\(one.name) is at the provider and not in the ledger")
        }
    }

    private mutating func blame(_ what: String, isLost: Bool) {
        if isLost { self.lost += 1 }
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

    private static func number(_ statement: SQL, _ pool: PostgresPool) async throws -> Int {
        guard let row = try await pool.query(statement).first else { return 0 }
        let count: Int64 = try row.decode(Int64.self)
        return Int(count)
    }

    private static func get(_ town: Town, _ path: String) async throws -> Data {
        let answer = try await town.http.execute(HTTPClientRequest(url: town.provider + path), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 26)
        return Data(body.readableBytesView)
    }
}
