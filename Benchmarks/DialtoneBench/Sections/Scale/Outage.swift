// SPDX-License-Identifier: Apache-2.0
// A long import whose provider is away for minutes: what falls into doubt, and how soon the rate is back.

import Foundation
import Postgres

struct Outage: Encodable {
    /// Jobs that are left when the outage begins.
    var queued: Int
    var outageSeconds: Double
    /// Jobs finished per second before.
    var rateBefore: Double
    /// Jobs in doubt at the end of the outage, and at most.
    var inDoubt: Int
    var mostInDoubt: Int
    /// Seconds from the provider's return until five seconds together reach 0.8 of the rate before.
    var secondsToRate: Double
    /// Seconds from the return until the last user is ready.
    var secondsToAll: Double
    var promised = Promised()

    struct Promised: Encodable {
        var mostInDoubt = 200
        var secondsToRate = 60.0
        var secondsToAll = 600.0
    }

    private static let queue = 100_000
    private static let warmUp = 10_000
    private static let slow = #"{"operation":"any","kind":"delay","milliseconds":100}"#
    private static let away = #"{"operation":"any","kind":"status","status":503,"milliseconds":100}"#

    /// One worker, a provider that takes 100 ms, and answers 503 for so many seconds.
    static func measure(on bed: Bed, seconds: Double) async throws -> Outage {
        let simulator = try await bed.stage("bench_outage").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let control = SimulatorControl(provider: provider)
        let stage = try await bed.stage("bench_outage", provider: provider)
        let database = try await stage.connect()
        try await ImportLine.fill(Self.queue + Self.warmUp, on: database)
        try await control.setFaults("[\(Self.slow)]")
        let worker = try await stage.start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        let full = Self.queue + Self.warmUp
        try await Waiting.until(
            "select 1 from dialtone.jobs having count(*) < \(full - Self.warmUp / 3)", on: database)
        var watch = try await QueueWatch(database)
        try await Waiting.until("select 1 from dialtone.jobs having count(*) <= \(Self.queue)", on: database)
        let before = try await watch.rate()
        var outage = Outage(
            queued: try await watch.open(), outageSeconds: seconds, rateBefore: before.rounded(), inDoubt: 0,
            mostInDoubt: 0, secondsToRate: 0, secondsToAll: 0)
        try await control.setFaults("[\(Self.away)]")
        try await outage.sitOut(watch)
        try await control.setFaults("[\(Self.slow)]")
        try await outage.recover(&watch)
        await database.close()
        return outage
    }

    private mutating func sitOut(_ watch: QueueWatch) async throws {
        let end = ContinuousClock.now + .seconds(self.outageSeconds)
        while ContinuousClock.now < end {
            self.inDoubt = try await watch.inDoubt()
            self.mostInDoubt = max(self.mostInDoubt, self.inDoubt)
            try await Task.sleep(for: .milliseconds(500))
        }
        Progress.tell("outage: \(self.inDoubt) in doubt when the provider returns")
    }

    private mutating func recover(_ watch: inout QueueWatch) async throws {
        let start = ContinuousClock.now
        _ = try await watch.rate()
        repeat {
            try await Task.sleep(for: self.secondsToRate == 0 ? .seconds(5) : .milliseconds(200))
            let passed = (ContinuousClock.now - start) / .seconds(1)
            guard passed < 1800 else { throw BenchError.late("the end of an import") }
            if self.secondsToRate == 0, try await watch.rate() >= 0.8 * self.rateBefore {
                self.secondsToRate = passed.rounded2
            }
            self.mostInDoubt = max(self.mostInDoubt, try await watch.inDoubt())
        } while try await watch.open() > 0
        self.secondsToAll = ((ContinuousClock.now - start) / .seconds(1)).rounded2
    }
}

/// How a queue shrinks.
struct QueueWatch {
    private let database: PostgresConnection
    private var last: (open: Int, at: ContinuousClock.Instant)

    init(_ database: PostgresConnection) async throws {
        self.database = database
        self.last = (0, .now)
        self.last = (try await self.open(), .now)
    }

    func open() async throws -> Int {
        try await Waiting.number("select count(*) from dialtone.jobs", on: self.database)
    }

    func inDoubt() async throws -> Int {
        try await Waiting.number(
            "select count(*) from dialtone.jobs where state in ('in_doubt', 'looking')", on: self.database)
    }

    /// Returns how many jobs a second have ended since the last question.
    mutating func rate() async throws -> Double {
        let (open, now) = (try await self.open(), ContinuousClock.now)
        defer { self.last = (open, now) }
        return Double(self.last.open - open) / max(0.001, (now - self.last.at) / .seconds(1))
    }
}
