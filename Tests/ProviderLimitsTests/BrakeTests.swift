// SPDX-License-Identifier: Apache-2.0
// A provider in trouble puts few creates in doubt, and one that fails now and then stops nobody.

import Synchronization
import Testing

@testable import ProviderLimits

@Suite struct BrakeTests {
    @Test func `eight creates in a row without a known outcome stop the node`() throws {
        let (brake, _) = Self.brake()
        let tickets = try (0..<64).map { try brake.take(Self.purpose("u\($0)")).get() }
        for ticket in tickets.prefix(7) { #expect(brake.returned(ticket, isKnown: false) == .goesOn) }
        #expect(brake.returned(tickets[7], isKnown: false) == .stopped)
        #expect(brake.room(for: 64) == .wait(.seconds(5)))
        guard case .failure = brake.take(Self.purpose("late")) else { Issue.record("nothing goes"); return }
        for ticket in tickets.dropFirst(8) { #expect(brake.returned(ticket, isKnown: false) == .goesOn, "all at once") }
    }

    /// By the order of return the eight slow ones would come in a row.
    @Test func `eight that fail in a row and were not sent in a row stop nobody`() throws {
        let (brake, _) = Self.brake()
        let tickets = try (0..<160).map { try brake.take(Self.purpose("u\($0)")).get() }
        for (number, ticket) in tickets.enumerated() where number % 20 != 7 { brake.returned(ticket, isKnown: true) }
        for (number, ticket) in tickets.enumerated() where number % 20 == 7 {
            #expect(brake.returned(ticket, isKnown: false) == .goesOn)
        }
        #expect(brake.room(for: 64) == .creates(64))
    }

    @Test func `one that is under way between them keeps the node going until it is known`() throws {
        let (brake, _) = Self.brake()
        let tickets = try (0..<9).map { try brake.take(Self.purpose("u\($0)")).get() }
        for (number, ticket) in tickets.enumerated() where number != 4 {
            #expect(brake.returned(ticket, isKnown: false) == .goesOn)
        }
        #expect(brake.returned(tickets[4], isKnown: false) == .stopped)
    }

    @Test func `a stopped node looks after 5, 10, 20 and 30 seconds, and an answer lets one create go`() throws {
        let (brake, clock) = Self.brake()
        try Self.fail(brake, 8)
        for seconds in [5, 10, 20, 30, 30] {
            #expect(brake.room(for: 64) == .wait(.seconds(seconds)))
            clock.advance(.seconds(seconds))
            #expect(brake.room(for: 64) == .lookFirst)
            brake.looked(isAnswered: false)
        }
        clock.advance(.seconds(30))
        brake.looked(isAnswered: true)
        #expect(brake.room(for: 64) == .creates(1))
    }

    @Test func `rounds of 1, 2, 4 to 64 creates follow one another while some of each work`() throws {
        let (brake, clock) = Self.brake()
        try Self.fail(brake, 8)
        clock.advance(.seconds(5))
        brake.looked(isAnswered: true)
        for size in [1, 2, 4, 8, 16, 32, 64] {
            #expect(brake.room(for: 100) == .creates(size))
            let tickets = try (0..<size).map { try brake.take(Self.purpose("u\($0)")).get() }
            #expect(brake.room(for: 100) == .wait(.milliseconds(100)), "nothing more before one has worked")
            for ticket in tickets.dropLast() { #expect(brake.returned(ticket, isKnown: false) == .goesOn) }
            #expect(brake.returned(tickets[size - 1], isKnown: true) == .goesOn)
        }
        #expect(brake.room(for: 100) == .creates(100))
    }

    @Test func `a round of which none works stops the node again, and longer`() throws {
        let (brake, clock) = Self.brake()
        try Self.fail(brake, 8)
        clock.advance(.seconds(5))
        brake.looked(isAnswered: true)
        #expect(brake.returned(try brake.take(Self.purpose("u")).get(), isKnown: false) == .stopped)
        #expect(brake.room(for: 1) == .wait(.seconds(10)))
    }

    @Test func `where another tenant works meanwhile, the tenant's breaker opens and the node goes on`() throws {
        let (brake, clock) = Self.brake()
        let bad = try (0..<8).map { try brake.take(Self.purpose("u\($0)", of: "acme")).get() }
        let good = try brake.take(Self.purpose("v", of: "globex")).get()
        clock.advance(.milliseconds(1))
        brake.returned(good, isKnown: true)
        for ticket in bad.dropLast() { brake.returned(ticket, isKnown: false) }
        #expect(brake.returned(bad[7], isKnown: false) == .opens(.tenant("acme")))
        #expect(brake.room(for: 64) == .creates(64))
    }

    @Test func `one user whose creates fail opens no breaker of others`() throws {
        let (brake, clock) = Self.brake()
        let bad = try (0..<8).map { _ in try brake.take(Self.purpose("u", of: "acme")).get() }
        let good = try brake.take(Self.purpose("v", of: "globex")).get()
        clock.advance(.milliseconds(1))
        brake.returned(good, isKnown: true)
        let verdicts = bad.map { brake.returned($0, isKnown: false) }
        #expect(verdicts.last == .stopped)
    }

    // MARK: Test bed

    /// A clock that a test moves.
    ///
    /// Lock: `moment` has its own.
    private final class Clock: Sendable {
        private let moment = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { self.moment.withLock { $0 } }
        func advance(_ time: Duration) { self.moment.withLock { $0 += time } }
    }

    private static func brake() -> (Brake, Clock) {
        let clock = Clock()
        return (Brake(now: { clock.now }), clock)
    }

    private static func purpose(_ user: String, of tenant: String = "acme") -> CreatePurpose {
        CreatePurpose(connection: "1", tenant: tenant, user: user)
    }

    private static func fail(_ brake: Brake, _ count: Int) throws {
        let tickets = try (0..<count).map { try brake.take(Self.purpose("u\($0)")).get() }
        for ticket in tickets { brake.returned(ticket, isKnown: false) }
    }
}
