// SPDX-License-Identifier: Apache-2.0
// Counts and samples reach their tables, add up over nodes and restarts, and wait while the database is away.

import Foundation
import Logging
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct TallyWritingTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)
    private static let source = SourceID(rawValue: UUID())

    private static func tally(_ database: TestDatabase) -> Tally {
        Tally(pool: database.pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func rows(_ database: TestDatabase, _ statement: SQL) async throws -> [String] {
        try await database.admin.query(statement).map { try $0.decode(String.self) }
    }

    private static func counts(_ database: TestDatabase) async throws -> [String] {
        try await Self.rows(
            database,
            """
            select concat_ws(' ', outcome, reason, count, skew_ms) from dialtone.tally
            order by outcome, reason, bucket
            """)
    }

    private static let noForm: @Sendable () -> RequestForm = { RequestForm(headers: [], body: nil) }

    @Test func `what two nodes and a node that was started anew have counted adds up`() async throws {
        try await TestDatabase.with { database in
            for (node, skew) in [Self.tally(database), Self.tally(database), Self.tally(database)].enumerated()
                .map({ ($1, Int64($0 * 1000)) })
            {
                let stale = IntakeError.badProof(ProofFailure(.expired, "").ofClocks(apart: skew))
                for error in [stale, .busy(retryAfter: 1), .busy(retryAfter: 1)] {
                    node.count(
                        Refusal(error), of: Self.source, at: Self.noon + Double(skew) / 1000, form: Self.noForm)
                }
                node.count(.ignored, "login", of: Self.source, at: Self.noon, times: 5, form: Self.noForm)
                await node.write(now: Self.noon)
                await node.write(now: Self.noon)
                #expect(node.waiting == (0, 0))
            }
            let counts = try await Self.counts(database)
            #expect(counts == ["ignored login 15", "refused busy 6", "refused proof_expired 3 2000"])
        }
    }

    @Test func `what nobody can write stays in memory and is written later, with what came meanwhile`() async throws {
        try await TestDatabase.with { database in
            let tally = Self.tally(database)
            tally.count(.refused, "busy", of: Self.source, at: Self.noon, form: Self.noForm)
            try await database.admin.script("alter table dialtone.tally rename to gone")
            for _ in 1...3 { await tally.write(now: Self.noon) }
            #expect(tally.waiting == (1, 1))
            tally.count(.refused, "busy", of: Self.source, at: Self.noon, form: Self.noForm)
            try await database.admin.script("alter table dialtone.gone rename to tally")
            await tally.write(now: Self.noon)
            #expect(tally.waiting == (0, 0))
            let counts = try await Self.counts(database)
            let samples = try await Self.rows(database, "select reason from dialtone.samples")
            #expect(counts == ["refused busy 2"] && samples == ["busy"])
        }
    }

    @Test func `a sender that makes up types gets 33 rows a minute, however often the process is started`()
        async throws
    {
        try await TestDatabase.with { database in
            for start in 0..<5 {
                let tally = Self.tally(database)
                for minute in 0..<3 {
                    for number in 0..<500 {
                        let time = Self.noon + Double(minute * 60)
                        let type = "type-\(start)-\(minute)-\(number)"
                        tally.count(.ignored, type, of: Self.source, at: time, form: Self.noForm)
                    }
                    await tally.write(now: Self.noon)
                }
            }
            let types = try await Self.rows(
                database,
                "select concat_ws(' ', count(distinct reason), count(distinct bucket), sum(count)) from dialtone.tally")
            #expect(types == ["33 3 7500"])
        }
    }

    @Test(arguments: [
        (String(repeating: "é", count: 40), String(repeating: "é", count: 32)), ("a\u{1B}[31m", "others"),
        ("", "others"), ("a\u{0}b", "others"),
    ])
    func `a type is cut to 64 bytes, and one that a terminal would not show has no row of its own`(
        type: String, reason: String
    ) async throws {
        try await TestDatabase.with { database in
            let tally = Self.tally(database)
            tally.count(.ignored, type, of: Self.source, at: Self.noon, form: Self.noForm)
            await tally.write(now: Self.noon)
            let counts = try await Self.counts(database)
            #expect(counts == ["ignored \(reason) 1"])
        }
    }

    /// The database is there all the time, or comes back after half an hour.
    @Test(arguments: [true, false])
    func `of one source and outcome the newest 20 samples are kept, one a minute of all nodes`(
        writesMeanwhile: Bool
    ) async throws {
        try await TestDatabase.with { database in
            // A second node would bring again what the first one has left out.
            let nodes = (1...(writesMeanwhile ? 2 : 1)).map { _ in Self.tally(database) }
            for minute in 0..<30 {
                for node in nodes {
                    for second in [0.0, 20, 40] {
                        let time = Self.noon + Double(minute * 60) + second
                        node.count(.refused, "minute-\(minute)", of: Self.source, at: time) {
                            RequestForm(headers: [HeaderLength(name: "webhook-id", bytes: minute)], body: 3)
                        }
                    }
                    if writesMeanwhile && minute % 3 == 0 { await node.write(now: Self.noon) }
                }
            }
            for node in nodes { await node.write(now: Self.noon) }
            let samples = try await Self.rows(
                database,
                """
                select concat_ws(' ', reason, count(*), min(form::text)) from dialtone.samples
                group by reason, at order by at
                """)
            #expect(
                samples
                    == (10..<30).map {
                        #"minute-\#($0) 1 {"body":3,"headers":[{"bytes":\#($0),"name":"webhook-id"}]}"#
                    })
        }
    }

    @Test func `the statements that write enter their tables by key`() async throws {
        try await TestDatabase.with { database in
            let key = TallyCounts.Key(bucket: 0, source: Self.source, outcome: .ignored, reason: "r")
            let sample = TallySample(
                at: Self.noon, source: Self.source, outcome: .ignored, reason: "r", form: Self.noForm())
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                for statement in [
                    TallyStatement.add([key: .init(count: 1, lastAt: Self.noon)]), TallyStatement.keep([sample]),
                    TallyStatement.types(of: [Self.source]),
                ] {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.isEmpty, "\(plan)")
                }
            }
        }
    }

    @Test func `nodes that write the same rows at once wait for each other in no circle`() async throws {
        try await TestDatabase.with { database in
            let nodes = (0..<4).map { _ in Self.tally(database) }
            let sources = (0..<30).map { _ in SourceID(rawValue: UUID()) }
            for round in 0..<10 {
                await withTaskGroup(of: Void.self) { group in
                    for node in nodes {
                        for source in sources.shuffled() {
                            node.count(.refused, "busy", of: source, at: Self.noon, form: Self.noForm)
                        }
                        group.addTask { await node.write(now: Self.noon) }
                    }
                }
                #expect(nodes.allSatisfy { $0.waiting == (0, 0) }, "round \(round)")
            }
            let sums = try await Self.rows(
                database, "select concat_ws(' ', count(*), min(count), max(count)) from dialtone.tally")
            #expect(sums == ["30 40 40"])
        }
    }
}
