// SPDX-License-Identifier: Apache-2.0
// The pool's rules without a server: age, suspicion, the breaker, and how long a lease waits.

import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    @Test func `a connection whose life is over is closed and not lent again`() {
        let rules = Rules()
        #expect(rules.lease(1) == ["connect"])
        #expect(rules.connected("old", life: 60) == ["give old to 1"])
        #expect(rules.returned("old", life: 60) == [])
        #expect(rules.lease(2, after: 59) == ["give old to 2"])
        #expect(rules.returned("old", life: 60, after: 61) == ["close old"])
        #expect(rules.lease(3, after: 61) == ["connect"])
    }

    @Test func `an idle connection whose life is over is closed though nobody asks for it`() {
        let rules = Rules()
        _ = rules.lease(1)
        _ = rules.connected("old", life: 60)
        _ = rules.returned("old", life: 60)
        #expect(rules.retire(after: 59) == [])
        #expect(rules.retire(after: 60) == ["close old"])
        #expect(rules.lease(2, after: 60) == ["connect"])
    }

    @Test func `one lost connection closes all idle ones`() {
        let rules = Rules(maximum: 3)
        for id in 1...3 { _ = rules.lease(id) }
        for name in ["a", "b", "c"] { _ = rules.connected(name) }
        for name in ["a", "b"] { _ = rules.returned(name) }
        #expect(rules.suspect() == ["close a", "close b"])
        #expect(rules.returned(nil) == [])
        #expect(rules.lease(4) == ["connect"])
    }

    @Test func `a lease waits as long as all hosts take while a connection is being made`() {
        let rules = Rules(longestConnect: .seconds(20))
        _ = rules.lease(1)
        #expect(rules.expire(after: 24) == [])
        #expect(rules.expire(after: 25) == ["fail 1: poolTimeout"])
    }

    @Test func `a lease of a busy pool waits no longer than its time`() {
        let rules = Rules(maximum: 1, longestConnect: .seconds(20))
        _ = rules.lease(1)
        _ = rules.connected("a")
        #expect(rules.lease(2) == [])
        #expect(rules.expire(after: 5) == ["fail 2: poolTimeout"])
    }

    @Test func `an open breaker fails a lease with the next attempt and not before`() {
        let rules = Rules()
        _ = rules.lease(1)
        _ = rules.connectFailed()
        #expect(rules.probe(after: 3) == ["connect"])
        #expect(rules.connectFailed(after: 3) == ["fail 1: poolUnavailable"])
        // The attempt failed a moment ago, and the ticker makes the next one.
        #expect(rules.lease(2, after: 3.01) == [])
        #expect(rules.expire(after: 3.1) == [])
        #expect(rules.probe(after: 3.1) == ["connect"])
        #expect(rules.connected("a", after: 3.11) == ["give a to 2"])
    }

    @Test func `an attempt that hangs at one host does not delay the next`() {
        let rules = Rules()
        _ = rules.lease(1)
        _ = rules.connectFailed()
        #expect(rules.probe(after: 0.1) == ["connect"])
        #expect(rules.probe(after: 0.9) == [])
        #expect(rules.probe(after: 1.2) == ["connect"])
        #expect(rules.probe(after: 2.3) == [], "the pool's maximum is two")
    }

    @Test func `one connection that is made makes way for the others that are needed`() {
        let rules = Rules(maximum: 3)
        _ = rules.lease(1)
        _ = rules.connectFailed()
        for id in 2...3 { #expect(rules.lease(id, after: 0.01) == []) }
        _ = rules.probe(after: 0.1)
        #expect(rules.connected("a", after: 0.11) == ["give a to 1", "connect", "connect"])
    }

    /// The rules, with their actions in words. Times are seconds after the start.
    private final class Rules {
        private typealias State = PoolState<String, Int>

        private var state: State
        private let start = ContinuousClock.now

        init(maximum: Int = 2, longestConnect: Duration = .zero) {
            self.state = State(
                limits: .init(maximum: maximum, breakAfter: .seconds(2), longestConnect: longestConnect))
        }

        func lease(_ id: Int, after time: Double = 0) -> [String] {
            let now = self.at(time)
            return Self.words(self.state.lease(UInt64(id), id, deadline: now + .seconds(5), now: now))
        }

        func connected(_ name: String, life: Double = 1000, after time: Double = 0) -> [String] {
            Self.words(self.state.connected(self.member(name, life), now: self.at(time)))
        }

        func connectFailed(after time: Double = 0) -> [String] {
            let error = PostgresError(.connectFailed, "refused")
            return Self.words(self.state.connectFailed(error, now: self.at(time)))
        }

        func returned(_ name: String?, life: Double = 1000, after time: Double = 0) -> [String] {
            Self.words(self.state.returned(name.map { self.member($0, life) }, now: self.at(time)))
        }

        func suspect() -> [String] { Self.words(self.state.suspect()) }
        func retire(after time: Double) -> [String] { Self.words(self.state.retire(now: self.at(time))) }
        func expire(after time: Double) -> [String] { Self.words(self.state.expire(now: self.at(time))) }
        func probe(after time: Double) -> [String] { Self.words(self.state.probe(now: self.at(time))) }

        private func at(_ time: Double) -> ContinuousClock.Instant { self.start + .seconds(time) }

        private func member(_ name: String, _ life: Double) -> PoolMember<String> {
            PoolMember(connection: name, expiresAt: self.at(life), idleSince: self.start)
        }

        private static func words(_ actions: [State.Action]) -> [String] {
            actions.map { action in
                switch action {
                case .connect: "connect"
                case .give(let member, let waiter): "give \(member.connection) to \(waiter)"
                case .fail(let waiter, let error): "fail \(waiter): \(error.code)"
                case .close(let connection): "close \(connection)"
                }
            }
        }
    }
}
