// SPDX-License-Identifier: Apache-2.0
// The log keeps within its limit, counts what it drops, and sums the problems that requests cause.

import Foundation
import Logging
import Testing

@testable import Telemetry

@Suite struct LogBacklogTests {
    private static let start = ContinuousClock.now

    private static func record(
        _ message: String, _ level: Logger.Level = .info, _ facts: [(name: String, value: String)] = []
    ) -> LogRecord {
        LogRecord(time: Date(timeIntervalSince1970: 0), level: level, label: "dialtone", message: message, facts: facts)
    }

    private static func refusal(_ code: String, _ id: Int, of source: String? = nil) -> LogRecord {
        let facts = [(name: "code", value: code), (name: "request_id", value: "\(id)")]
        return self.record("request refused", .info, facts + (source.map { [(name: "source", value: $0)] } ?? []))
    }

    @Test func `lines beyond the limit are dropped, and the next lines tell how many`() {
        var backlog = LogBacklog(capacity: 4000)
        for number in 1...1000 { _ = backlog.add(Self.record("\(number)"), as: .json, now: Self.start) }
        let taken = backlog.take(now: Self.start).map(\.record)
        #expect((10...40).contains(taken.count), "\(taken.count) lines")
        #expect(taken.first?.message == "1" && taken.last?.message == "log lines were dropped")
        #expect(taken.last?.facts.first?.value == "\(1000 - (taken.count - 1))")
        #expect(backlog.take(now: Self.start).isEmpty)
    }

    @Test func `a flood of refusals leaves room for errors`() {
        var backlog = LogBacklog(capacity: 4000)
        for number in 1...1000 { _ = backlog.add(Self.record("\(number)"), as: .json, now: Self.start) }
        _ = backlog.add(Self.record("the database is away", .error), as: .json, now: Self.start)
        let taken = backlog.take(now: Self.start).map(\.record.message)
        #expect(taken.contains("the database is away"))
    }

    @Test func `refusals are summed per code and second`() {
        var backlog = LogBacklog(capacity: 1 << 20)
        for id in 1...500 {
            _ = backlog.add(Self.refusal("bad_proof", id), as: .json, now: Self.start)
            _ = backlog.add(Self.refusal("unknown_hook", id), as: .json, now: Self.start)
        }
        let first = backlog.take(now: Self.start).map(\.record)
        #expect(first.count == 2 && first.allSatisfy { $0.facts.contains { $0.name == "request_id" } })
        #expect(backlog.nextSum == Self.start + .seconds(1))
        let sums = backlog.take(now: Self.start + .seconds(1)).map(\.record)
        #expect(sums.count == 2)
        for sum in sums {
            #expect(sum.facts.first?.value == "499 times since the last line")
            #expect(!sum.facts.contains { $0.name == "request_id" })
        }
        // Nothing happened in the next second, so nothing is said, and the next refusal has its own line again.
        #expect(backlog.take(now: Self.start + .seconds(2)).isEmpty && backlog.nextSum == nil)
        let hasOwnLine = backlog.add(Self.refusal("bad_proof", 1), as: .json, now: Self.start + .seconds(3))
        #expect(hasOwnLine)
    }

    /// Else one source's wrong secret would hide another's.
    @Test func `refusals of two sources are summed apart, and each sum names its source`() {
        var backlog = LogBacklog(capacity: 1 << 20)
        for id in 1...30 {
            _ = backlog.add(Self.refusal("bad_proof", id, of: id % 3 == 0 ? "a" : "b"), as: .json, now: Self.start)
        }
        #expect(backlog.take(now: Self.start).count == 2)
        let sums = backlog.take(now: Self.start + .seconds(1)).map { $0.record.facts }
        let told = sums.map { facts in facts.filter { $0.name != "code" }.map { $0.value }.joined(separator: " ") }
        #expect(told.sorted() == ["19 times since the last line b", "9 times since the last line a"])
    }

    @Test func `lines that are not about a request's problem are never summed`() {
        var backlog = LogBacklog(capacity: 1 << 20)
        for _ in 1...3 { _ = backlog.add(Self.record("sweep ended", .notice), as: .json, now: Self.start) }
        #expect(backlog.take(now: Self.start).count == 3)
    }
}
