// SPDX-License-Identifier: Apache-2.0
// The statements behind a tracked source's words: people, memberships, events, users and jobs, in one transaction.

import Foundation
import Model
import Postgres
import Queue

/// A batch is one transaction in one round trip. The people are met, and the users are locked where that is needed.
/// Then comes one statement for each time that a delivery names its person, and `amend` when somebody may be revoked.
///
/// Locks are taken in key order. First comes the request's row of events that are settled, then people and users that
/// exist. The ledger's unique key, users that are new and jobs follow. Every table is entered by key.
enum TrackedStatement {
    /// The statements of one transaction, and which of them return what became of the words.
    struct Batch: Sendable {
        var statements: [SQL]
        let writes: Range<Int>
    }

    /// Returns the statements of one transaction. A person's name stands once in each `write`, whatever its source: the
    /// upsert may not meet a row twice.
    ///
    /// The clock gives places in the queue to those tenants that are known before. A tenant that only the mapping table
    /// knows goes on with its line where the clock has one (`noteMapped`). Else its line begins at the database's
    /// clock.
    ///
    /// With a settlement the words are of events that are in quarantine, by their ids. A word's time is its own then,
    /// or that of the event's arrival, and never now. `others` are new events that are stored after them.
    static func batch(
        of settled: [NewWord], settling settlement: Settlement? = nil, storing others: [NewWord] = [],
        _ clock: inout FairClock
    ) -> Batch {
        let rounds =
            Self.rounds(of: settled).map { (words: $0, settlement: settlement) }
            + Self.rounds(of: others).map { (words: $0, settlement: Settlement?.none) }
        let (words, events) = (settled + others, settled.map(\.id))
        var statements = settlement == nil ? [] : [QuarantinedBody.lock(of: events)]
        statements.append(TrackedLocks.meet(words))
        if rounds.count > 1 { statements.append(TrackedLocks.users(words)) }
        let writes = statements.count..<statements.count + rounds.count
        for (round, settlement) in rounds {
            let known = round.compactMap { word in
                (word.word.tenant ?? word.owner).map { (tenant: $0.rawValue, receivedAt: word.receivedAt) }
            }
            let newest = round.map(\.receivedAt).max() ?? .distantPast
            let lines = clock.lines(aheadOf: newest).merging(clock.places(for: known)) { $1 }
            statements.append(Self.write(round, settling: settlement, places: lines))
        }
        let takers = words.filter(\.mayRevoke).map(\.id)
        if !takers.isEmpty { statements.append(EventStatement.amend(tracked: takers)) }
        if let settlement {
            statements += [QuarantinedBody.end(settled: events, by: settlement), QuarantinedBody.handOn(from: events)]
        }
        if let names = NameStatement.write(words) { statements.append(names) }
        return Batch(statements: statements, writes: writes)
    }

    /// Notes the jobs of tenants that only the mapping table knew. So the next batch goes on with their lines, and a
    /// tenant that signs up many users lines up behind itself.
    static func noteMapped(_ words: [NewWord], _ results: [EventID: TrackedResult], in clock: inout FairClock) {
        _ = clock.places(
            for: words.compactMap { word in
                guard word.word.tenant == nil, word.owner == nil, let result = results[word.id],
                    result.outcome == .accepted, let tenant = result.tenant
                else { return nil }
                return (tenant: tenant.rawValue, receivedAt: word.receivedAt)
            })
    }

    /// Runs a batch in one transaction and one round trip. Returns what became of each word.
    ///
    /// Shielded from cancellation, because a batch belongs to the writer and not to its shutdown.
    static func commit(_ batch: Batch, on connection: PostgresConnection) async throws -> [EventID: TrackedResult] {
        // The first to fail has the reason; the others were not run.
        let answers = try await connection.pipeline([batch.statements], shielded: true)[0].map { try $0.get() }
        var results: [EventID: TrackedResult] = [:]
        for row in answers[batch.writes].joined() {
            let result = try TrackedResult(row)
            results[result.id] = result
        }
        return results
    }

    /// The words that name their person for the first time, for the second time, and so on.
    static func rounds(of words: [NewWord]) -> [[NewWord]] {
        var rounds: [[NewWord]] = []
        var seen: [UserID: Int] = [:]
        for word in words {
            let round = seen[word.word.person, default: 0]
            seen[word.word.person] = round + 1
            if round == rounds.count { rounds.append([]) }
            rounds[round].append(word)
        }
        return rounds
    }

    /// Writes words on people who are met. Returns the rows that `TrackedResult` reads.
    static func write(_ words: [NewWord], settling settlement: Settlement?, places: [String: Int64]) -> SQL {
        let stored = settlement == nil ? TrackedOutcome.stored : TrackedOutcome.settled
        let ended: SQL = settlement.map { ", ended as (\(TrackedOutcome.quarantineEnded(by: $0)))" } ?? ""
        return """
            with input as (\(Self.input(words))),
            known as (\(TrackedFacts.known(isSettling: settlement != nil))),
            judged as materialized (\(TrackedFacts.judged)),
            after as (\(TrackedFacts.after)),
            due as materialized (\(TrackedDue.due)),
            told as materialized (\(TrackedOutcome.told)),
            stored as (\(stored)),
            people_told as (\(TrackedWrites.people)),
            memberships_told as (\(TrackedWrites.memberships)),
            beginning as materialized (\(EventStatement.firstGenerations(in: "due where effect = 'change'"))),
            desired as (\(TrackedWrites.users)),
            newest as (\(TrackedWrites.newest)),
            effects_told as (\(TrackedWrites.effects)),
            to_do as (\(Self.jobsToEnqueue(places))),
            enqueued as (\(JobQueue.enqueue(from: "to_do")))\(ended)
            \(TrackedOutcome.perEvent)
            """
    }

    /// The batch as rows. `owner` is the source's tenant, or '-'.
    private static func input(_ words: [NewWord]) -> SQL {
        """
        select * from unnest(
            \(words.map(\.id)), \(words.map(\.source)), \(words.map(\.deliveryID)), \(words.map(\.item)),
            \(words.map { $0.first ?? $0.id }), \(words.map { $0.word.person.rawValue }), \(words.map(\.organization)),
            \(words.map { $0.word.tenant?.rawValue }), \(words.map { $0.owner?.rawValue ?? "-" }),
            \(words.map { $0.word.ofPerson?.rawValue }), \(words.map { $0.ofMembership?.rawValue }),
            \(words.map(\.asks)), \(words.map(\.word.isWhole)), \(words.map(\.word.isWeak)),
            \(words.map { $0.word.moment == .arrival }), \(words.map(\.occurredAt)), \(words.map(\.receivedAt)),
            \(words.map(\.mappingVersion)), \(words.map(\.secret)), \(words.map(\.isKeptUnmapped)),
            \(words.map(\.sentID)))
        as t (event_id, source_id, delivery_id, item, first_id, person, organization, tenant, owner, person_word,
              membership_word, asks, is_whole, is_weak, by_arrival, occurred_at, received_at, config_version, secret_id,
              keeps_unmapped, sent_id)
        """
    }

    /// The jobs of this batch. Each tenant's stand one step of its line apart; a tenant that was not known before has
    /// its line begin at the clock.
    private static func jobsToEnqueue(_ places: [String: Int64]) -> SQL {
        let tenants = places.sorted { $0.key < $1.key }
        return """
            select desired.tenant_id, desired.user_id, desired.generation, desired.received_at as enqueued_at,
                   coalesce(line.place, \(ServerClock.statementStart)) + \(FairClock.step)
                       * (row_number() over (partition by desired.tenant_id
                                             order by desired.received_at, desired.user_id) - 1) as place
            from desired
            left join unnest(\(tenants.map(\.key)), \(tenants.map(\.value))) as line (tenant_id, place)
                using (tenant_id)
            where desired.status in ('pending', 'revoking')
            """
    }
}
