// SPDX-License-Identifier: Apache-2.0
// A node's permits over several slices, by a scripted clock: who waits gets the next slice's, or is told when to come.

import Synchronization
import Testing

@testable import ProviderLimits

@Suite struct BudgetTests {
    private static let scope = BudgetScope(key: "account", rate: 10)

    @Test func `a call that finds nothing left waits for the next slice`() async {
        let world = ScriptedWorld([[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
        let budget = world.budget()
        #expect(await budget.permit(.looks, from: Self.scope, patience: .seconds(5)) == .granted)
        #expect(world.passed == .milliseconds(500))
        #expect(world.wants == [[0, 0, 1, 0, 0], [0, 0, 1, 0, 0]])
    }

    @Test func `a call that would wait too long is told how long, and leaves the line`() async {
        let world = ScriptedWorld([[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]], slice: .seconds(10))
        let budget = world.budget()
        let scope = BudgetScope(key: "account", rate: 0.5)
        #expect(await budget.permit(.looks, from: scope, patience: .seconds(5)) == .wait(.seconds(10)))
        #expect(world.passed == .zero)
        world.pass(.seconds(10))
        #expect(await budget.permit(.looks, from: scope, patience: .seconds(5)) == .granted)
        #expect(world.wants.last == [0, 0, 1, 0, 0], "nobody else is in line")
    }

    @Test func `taking many gets what there is and waits for nothing`() async {
        let world = ScriptedWorld([[0, 3, 0, 0, 0]])
        let budget = world.budget()
        #expect(await budget.take(64, of: .creates, from: Self.scope) == 3)
        #expect(await budget.take(64, of: .creates, from: Self.scope) == 0)
        #expect(budget.rest(of: .creates, in: Self.scope) == .milliseconds(500))
        #expect(world.wants == [[0, 64, 0, 0, 0]] && world.passed == .zero)
    }

    @Test func `each scope has slices of its own`() async {
        let world = ScriptedWorld([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
        let budget = world.budget()
        #expect(await budget.take(1, of: .creates, from: Self.scope) == 0)
        #expect(await budget.take(1, of: .tokens, from: BudgetScope(key: "connection:7", rate: 10)) == 1)
    }

    @Test func `a cancelled call gets no permit`() async {
        let world = ScriptedWorld([[0, 0, 0, 0, 0]])
        let budget = world.budget()
        let answer = await withTaskGroup(of: Permission.self) { group in
            group.cancelAll()
            group.addTask { await budget.permit(.looks, from: Self.scope, patience: .seconds(5)) }
            return await group.next()
        }
        #expect(answer == .wait(.milliseconds(500)))
    }
}

/// A clock that only passes when somebody sleeps, and a database that answers in order, each answer in the slice of its
/// time.
private final class ScriptedWorld: Sendable {
    private struct State {
        var passed = Duration.zero
        var answers: [[Int]]
        var wants: [[Int]] = []
    }

    private let start = ContinuousClock.now
    private let slice: Duration
    private let state: Mutex<State>

    init(_ answers: [[Int]], slice: Duration = .milliseconds(500)) {
        self.slice = slice
        self.state = Mutex(State(answers: answers))
    }

    var passed: Duration { self.state.withLock(\.passed) }
    var wants: [[Int]] { self.state.withLock(\.wants) }

    func pass(_ time: Duration) { self.state.withLock { $0.passed += time } }

    func budget() -> Budget {
        var time = Budget.Time()
        time.now = { self.start + self.passed }
        time.sleep = { end in self.state.withLock { $0.passed = max($0.passed, self.start.duration(to: end)) } }
        return Budget(time: time) { _, wants in
            self.state.withLock { state in
                state.wants.append(wants)
                guard !state.answers.isEmpty else { return nil }
                let number = Int64(state.passed / self.slice)
                let end = self.slice * Int(number + 1)
                return TakenCalls(got: state.answers.removeFirst(), slice: number, lasts: end - state.passed)
            }
        }
    }
}
