// SPDX-License-Identifier: Apache-2.0
// Counts in memory have a bound whatever is counted, and no count is lost by it.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TallyCountsTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)
    private static let bucket: Int64 = 1_800_000_000

    private static func key(
        _ source: SourceID, _ outcome: TallyOutcome, _ reason: String, minute: Int64 = 0
    ) -> TallyCounts.Key {
        TallyCounts.Key(bucket: Self.bucket + minute * 60, source: source, outcome: outcome, reason: reason)
    }

    private static func once(_ at: Date = noon, skew: Int64? = nil) -> TallyCounts.Count {
        TallyCounts.Count(count: 1, lastAt: at, skewMilliseconds: skew)
    }

    private static func sum(_ counts: TallyCounts) -> Int64 { counts.all.values.reduce(0) { $0 + $1.count } }

    @Test func `a million made-up types of one source are 33 counts`() {
        var counts = TallyCounts()
        let source = SourceID(rawValue: UUID())
        for number in 0..<1_000_000 { counts.add(Self.once(), at: Self.key(source, .ignored, "type-\(number)")) }
        #expect(counts.all.count == TallyCounts.maximumTypes + 1 && Self.sum(counts) == 1_000_000)
        #expect(counts.all[Self.key(source, .ignored, "others")]?.count == 999_968)
    }

    @Test func `a minute has 64 sources by name, and all others in one row for each reason`() {
        var counts = TallyCounts()
        let sources = (0..<1000).map { _ in SourceID(rawValue: UUID()) }
        for source in sources + sources + [.unknownHooks] {
            counts.add(Self.once(), at: Self.key(source, .refused, "busy"))
            counts.add(Self.once(), at: Self.key(source, .ignored, "login"))
        }
        #expect(Set(counts.all.keys.map(\.source)).count == 64 + 2 && Self.sum(counts) == 4002)
        #expect(counts.all[Self.key(.others, .refused, "busy")]?.count == 1872)
        #expect(counts.all[Self.key(.others, .ignored, "others")]?.count == 1872)
        // The bounds of a minute hold on when a part of it was written.
        _ = counts.take(now: Self.noon)
        for source in sources.reversed() { counts.add(Self.once(), at: Self.key(source, .refused, "busy")) }
        #expect(Set(counts.all.keys.map(\.source)).count == 64 + 1)
    }

    @Test func `a flood of sources, minutes and types while nothing can be written stays within its bound`() {
        var counts = TallyCounts()
        let sources = (0..<100).map { _ in SourceID(rawValue: UUID()) }
        for number in 0..<200_000 {
            let key = Self.key(
                sources[number % 100], .ignored, "type-\(number % 997)", minute: Int64(number / 1000))
            counts.add(Self.once(), at: key)
        }
        #expect(counts.all.count <= TallyCounts.maximumCounts + 200 && Self.sum(counts) == 200_000)
    }

    @Test func `what could not be written counts by the hour after two hours, and is dropped after 14 days`() {
        var counts = TallyCounts()
        let source = SourceID(rawValue: UUID())
        for minute in 0..<300 { counts.add(Self.once(), at: Self.key(source, .refused, "busy", minute: Int64(minute))) }
        let now = Self.noon + 300 * 60
        counts.putBack(counts.take(now: now), now: now)
        #expect(Self.sum(counts) == 300)
        #expect(counts.all.keys.count { $0.minutes == 1 } == 120 && counts.all.keys.count { $0.minutes == 60 } <= 4)
        #expect(counts.all.keys.allSatisfy { $0.minutes == 1 || $0.bucket % 3600 == 0 })
        let late = Self.noon + 15 * 86_400
        counts.putBack(counts.take(now: late), now: late)
        #expect(counts.all.isEmpty)
    }

    @Test func `the newest difference of the clocks counts, and one that is not known erases none`() {
        var counts = TallyCounts()
        let key = Self.key(SourceID(rawValue: UUID()), .refused, "proof_expired")
        for (second, skew) in [(1, 10), (5, 50), (3, 30), (7, nil)] as [(Double, Int64?)] {
            counts.add(Self.once(Self.noon + second, skew: skew), at: key)
        }
        #expect(counts.all[key] == .init(count: 4, lastAt: Self.noon + 7, skewMilliseconds: 50))
    }

    @Test func `a request with thousands of headers leaves few and short names, and their lengths`() throws {
        let headers = (0..<5000).map { number in
            HeaderLength(name: "X-\(number)-\(String(repeating: "é", count: 500))", bytes: number)
        }
        let form = RequestForm(headers: headers, body: 7)
        #expect(form.headers.count == 40 && form.headers.allSatisfy { $0.name.utf8.count <= 40 })
        #expect(form.headers[3].name.hasPrefix("x-3-é") && form.headers[3].bytes == 3)
        #expect(form.json.utf8.count < 4096 && RequestForm(json: form.json) == form)
    }

    @Test func `samples in memory are 256 at most, the newest ones`() {
        var samples = TallySamples()
        for minute in 0..<1000 {
            let source = SourceID(rawValue: UUID())
            let due = [TallyOutcome.refused, .refused, .ignored].map { outcome in
                samples.isDue(source, outcome, in: Int64(minute) * 60)
            }
            #expect(due == [true, false, true], "one a minute, of each outcome")
            samples.add(
                TallySample(
                    at: Self.noon + Double(minute), source: source, outcome: .refused, reason: "busy",
                    form: RequestForm(headers: [], body: nil)))
        }
        #expect(samples.waiting.count == 256 && samples.waiting.first?.at == Self.noon + 744)
        let taken = samples.take(now: Self.noon)
        samples.putBack(taken + taken)
        #expect(samples.waiting.count == 256)
    }
}
