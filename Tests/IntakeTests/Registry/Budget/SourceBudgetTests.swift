// SPDX-License-Identifier: Apache-2.0
// A source has a rate with a burst; the test's own times decide, and what is refused is counted.

import Foundation
import Logging
import Model
import Synchronization
import Testing

@testable import Intake

@Suite struct SourceBudgetTests {
    private static let start = ContinuousClock.now

    /// Takes events at a time until one is refused. Returns how many were granted, and the wait of the refused one.
    private static func drain(_ budget: SourceBudget, at time: Duration) -> (granted: Int, wait: Duration) {
        for granted in 0..<100_000 {
            if let wait = budget.take(now: Self.start + time) { return (granted, wait) }
        }
        return (100_000, .zero)
    }

    @Test(arguments: [1, 10, 2_000])
    func `an idle source has five seconds of its rate at once, and then its rate`(_ rate: Int) {
        let budget = SourceBudget(rate: rate, start: Self.start)
        let first = Self.drain(budget, at: .zero)
        #expect(first.granted == 5 * rate && first.wait == .seconds(1) / rate)
        #expect(Self.drain(budget, at: .seconds(1)).granted == rate)
        #expect(Self.drain(budget, at: .seconds(4)).granted == 3 * rate)
        #expect(Self.drain(budget, at: .seconds(3600)).granted == 5 * rate, "what is not used is not saved up")
    }

    @Test func `a refused event costs nothing, and its wait is enough`() throws {
        let budget = SourceBudget(rate: 2, start: Self.start)
        _ = Self.drain(budget, at: .zero)
        for _ in 0..<50 { _ = budget.take(now: Self.start) }
        let wait = try #require(budget.take(now: Self.start + .milliseconds(100)))
        #expect(wait == .milliseconds(400))
        #expect(budget.take(now: Self.start + .milliseconds(100) + wait) == nil)
    }

    @Test func `a delivery of several users counts them all, and a debt is paid by waiting`() {
        let budget = SourceBudget(rate: 10, start: Self.start)
        #expect(budget.take(now: Self.start) == nil)
        budget.takeMore(99)
        #expect(budget.take(now: Self.start + .seconds(5)) != nil)
        #expect(Self.drain(budget, at: .seconds(6)).granted == 10)
    }

    @Test func `events that are taken at the same time on all cores are all counted`() async {
        let budget = SourceBudget(rate: 1_000, start: Self.start)
        let granted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<2_000).filter { _ in budget.take(now: Self.start) == nil }.count }
            }
            return await group.reduce(0, +)
        }
        #expect(granted == 5_000)
    }

    @Test func `a source's counts are told once, with the source, and a source without any is not told`() throws {
        let lines = HeldLines()
        let budgets = SourceBudgets(rate: 1, logger: Logger(label: "test") { _ in lines })
        let (noisy, quiet) = (SourceID(rawValue: UUID()), SourceID(rawValue: UUID()))
        for _ in 0..<3 { budgets.budget(of: noisy).countIgnored() }
        budgets.budget(of: noisy).countRefused()
        _ = budgets.budget(of: quiet).take()
        budgets.tell()
        budgets.tell()
        let told = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        #expect(told["ignored"] == "3" && told["refused"] == "1")
        #expect(told["source"] == "\(noisy.rawValue.uuidString.lowercased())")
    }

    @Test func `why a source cannot be used is told once a minute, and for each source`() {
        let lines = HeldLines()
        let budgets = SourceBudgets(rate: 1, logger: Logger(label: "test") { _ in lines })
        let (one, other) = (SourceID(rawValue: UUID()), SourceID(rawValue: UUID()))
        for second in [0, 1, 59, 60] {
            budgets.tellUnusable(one, "/proofs is needed", now: Self.start + .seconds(second))
        }
        budgets.tellUnusable(other, "secret must not be empty", now: Self.start + .seconds(60))
        let told = lines.all.map { $0["reason"] }
        #expect(told == ["/proofs is needed", "/proofs is needed", "secret must not be empty"])
    }

    @Test func `that a sender's own secret is missing is told once a minute, with the source's name`() {
        let lines = HeldLines()
        let budgets = SourceBudgets(rate: 1, logger: Logger(label: "test") { _ in lines })
        let source = SourceID(rawValue: UUID())
        _ = budgets.budget(of: source, named: "clerk")
        for second in [0, 59, 60] { budgets.tellSecretMissing(source, now: Self.start + .seconds(second)) }
        #expect(lines.all.map { $0["name"] } == ["clerk", "clerk"])
    }

    @Test func `one source's budget is the same wherever it is asked for, and no other's`() {
        let budgets = SourceBudgets(rate: 1, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (one, other) = (SourceID(rawValue: UUID()), SourceID(rawValue: UUID()))
        _ = Self.drain(budgets.budget(of: one), at: .zero)
        #expect(budgets.budget(of: one).take(now: Self.start) != nil)
        #expect(budgets.budget(of: other).take(now: Self.start) == nil)
    }
}

/// Keeps the metadata of each line.
private struct HeldLines: LogHandler {
    private let lines = Lines()
    var all: [Logger.Metadata] { self.lines.all.withLock { $0 } }
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) { self.lines.all.withLock { $0.append(event.metadata ?? [:]) } }

    private final class Lines: Sendable { let all = Mutex<[Logger.Metadata]>([]) }
}
