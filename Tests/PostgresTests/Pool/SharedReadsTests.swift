// SPDX-License-Identifier: Apache-2.0
// However many ask for one row, it is read once at a time; who has something else to go on with does not wait long.

import Synchronization
import Testing

@testable import Postgres

@Suite struct SharedReadsTests {
    @Test func `a hundred who ask for one row read it once, and all get it`() async {
        let reads = SharedReads<Int>()
        let gate = Gate()
        let outcomes = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<100 {
                group.addTask { Self.value(await reads.outcome(of: "a") { await gate.pass() }) }
            }
            while reads.waiting(for: "a") < 100 { await Task.yield() }
            gate.open()
            return await group.reduce(into: [Int?]()) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: 1, count: 100))
        let later = await reads.outcome(of: "a") { await gate.pass() }
        #expect(Self.value(later) == 2, "a read that has ended serves nobody later")
    }

    @Test func `a failure is told to all who waited, and to nobody later`() async {
        let reads = SharedReads<Int>()
        let gate = Gate()
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let outcome = await reads.outcome(of: "a") {
                        _ = await gate.pass()
                        throw PostgresError(.connectionLost, "gone")
                    }
                    if case .failure(is PostgresError)? = outcome { return true }
                    return false
                }
            }
            while reads.waiting(for: "a") < 3 { await Task.yield() }
            gate.open()
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(failures == [true, true, true])
        let next = await reads.outcome(of: "a") { 7 }
        #expect(Self.value(next) == 7)
    }

    @Test func `an impatient caller leaves a late read, and a patient one stays`() async {
        let reads = SharedReads<Int>(patience: .zero)
        let gate = Gate()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let outcome = await reads.outcome(of: "a") { await gate.pass() }
                #expect(Self.value(outcome) == 1)
            }
            while reads.waiting(for: "a") < 1 { await Task.yield() }
            for _ in 0..<2 {
                let outcome = await reads.outcome(of: "a", isImpatient: true) { await gate.pass() }
                #expect(outcome == nil, "the read is late, and was not begun again")
            }
            gate.open()
        }
        #expect(gate.passed == 1)
    }

    @Test func `a caller that is cancelled leaves, and the read goes on for the others`() async {
        let reads = SharedReads<Int>()
        let gate = Gate()
        let first = Task { await reads.outcome(of: "a") { await gate.pass() } }
        while reads.waiting(for: "a") < 1 { await Task.yield() }
        let second = Task { await reads.outcome(of: "a") { await gate.pass() } }
        while reads.waiting(for: "a") < 2 { await Task.yield() }
        first.cancel()
        let left = await first.value
        #expect(throws: CancellationError.self) { try left?.get() }
        gate.open()
        let stayed = await second.value
        #expect(Self.value(stayed) == 1)
        #expect(gate.passed == 1)
    }

    @Test func `reads of different keys do not wait for each other`() async {
        let reads = SharedReads<Int>()
        let gate = Gate()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await reads.outcome(of: "slow") { await gate.pass() } }
            while reads.waiting(for: "slow") < 1 { await Task.yield() }
            let quick = await reads.outcome(of: "quick") { 5 }
            #expect(Self.value(quick) == 5)
            gate.open()
        }
    }

    private static func value(_ outcome: SharedReads<Int>.Outcome?) -> Int? { try? outcome?.get() }
}

/// Holds reads until it is opened, and numbers those that pass.
private final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var passed = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var passed: Int { self.state.withLock(\.passed) }

    func open() {
        let waiting = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async -> Int {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = self.state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
        return self.state.withLock { state in
            state.passed += 1
            return state.passed
        }
    }
}
