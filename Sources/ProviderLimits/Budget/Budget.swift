// SPDX-License-Identifier: Apache-2.0
// One node's permits out of the budgets of all nodes: it asks the database for all kinds at once, and hands out in order.

import Synchronization

/// The permits of this node. It asks about once a slice, for all who wait; a token that finds nothing asks at once.
final class Budget: Sendable {
    typealias Instant = ContinuousClock.Instant
    /// Asks the database for calls of each kind. Nil: it cannot say.
    typealias Ask = @Sendable (_ scope: BudgetScope, _ wants: [Int]) async -> TakenCalls?

    private struct State {
        var hand: SliceInHand
        /// The request under way. One answer serves all who wait.
        var request: Task<Void, Never>?
    }

    /// The time and its passing; tests have their own.
    struct Time: Sendable {
        var now: @Sendable () -> Instant = { .now }
        var sleep: @Sendable (Instant) async throws -> Void = { try await ContinuousClock().sleep(until: $0) }
    }

    private let ask: Ask
    private let time: Time
    private let scopes = Mutex<[String: State]>([:])

    init(time: Time = Time(), ask: @escaping Ask) {
        self.time = time
        self.ask = ask
    }

    /// Waits for the permit of one call, `patience` at most. Those who came first get theirs first, but for those whose
    /// lane has others in front.
    ///
    /// Cancelled here: it leaves the line, and the answer is to wait.
    func permit(
        _ kind: CallKind, lane: String? = nil, from scope: BudgetScope, patience: Duration
    ) async -> Permission {
        let deadline = self.time.now() + patience
        let ticket = self.update(scope) { hand, _ in hand.lineUp(kind, lane: lane) }
        while true {
            let turn = self.update(scope) { hand, now in hand.turn(of: ticket, kind, now: now) }
            switch turn {
            case .granted: return .granted
            case .ask: await self.request(scope, with: 0, kind).value
            case .rest(let end):
                let isPatient = end <= deadline && !Task.isCancelled
                if isPatient, (try? await self.time.sleep(end)) != nil { continue }
                let wait = self.update(scope) { hand, now in
                    hand.leave(ticket, kind)
                    return now.duration(to: end)
                }
                return .wait(max(wait, .milliseconds(1)))
            }
        }
    }

    /// Takes up to `most` permits of those that the present slice has, and waits for no other slice.
    ///
    /// Cancelled here: the request goes on, because others may wait for its answer.
    func take(_ most: Int, of kind: CallKind, from scope: BudgetScope) async -> Int {
        while true {
            let turn = self.update(scope) { hand, now in hand.turn(taking: most, kind, now: now) }
            switch turn {
            case .granted(let count): return count
            case .ask: await self.request(scope, with: most, kind).value
            case .rest: return 0
            }
        }
    }

    /// Returns how long it is not worth asking for this kind; nil when it is now.
    func rest(of kind: CallKind, in scope: BudgetScope) -> Duration? {
        self.update(scope) { hand, now in hand.rest(of: kind, now: now).map { now.duration(to: $0) } }
    }

    /// Returns the slice that takes back unused permits, and how many; nil when they have lapsed.
    func giveBack(_ count: Int, of kind: CallKind, to scope: BudgetScope) -> (slice: Int64, count: Int)? {
        self.update(scope) { hand, now in hand.giveBack(count, kind, now: now) }
    }

    /// Returns the request under way, or begins one for all who wait and for `more` permits of one kind.
    ///
    /// It is a task of its own: whoever began it may be cancelled, and the others still wait for the answer.
    private func request(_ scope: BudgetScope, with more: Int, _ kind: CallKind) -> Task<Void, Never> {
        self.scopes.withLock { scopes in
            var state = scopes[scope.key] ?? State(hand: SliceInHand(now: self.time.now()))
            if let request = state.request { return request }
            let wants = state.hand.wants(more, kind)
            let request = Task { await self.answer(to: wants, scope) }
            state.request = request
            scopes[scope.key] = state
            return request
        }
    }

    private func answer(to wants: [Int], _ scope: BudgetScope) async {
        let answer = await self.ask(scope, wants)
        self.scopes.withLock { scopes in
            let now = self.time.now()
            if let answer {
                scopes[scope.key]?.hand.receive(answer, wants: wants, pace: scope.pace, now: now)
            } else {
                scopes[scope.key]?.hand.receiveNothing(wants: wants, now: now)
            }
            scopes[scope.key]?.request = nil
        }
    }

    private func update<Value: Sendable>(
        _ scope: BudgetScope, _ work: (inout SliceInHand, Instant) -> Value
    ) -> Value {
        self.scopes.withLock { scopes in
            let now = self.time.now()
            var state = scopes[scope.key] ?? State(hand: SliceInHand(now: now))
            defer { scopes[scope.key] = state }
            return work(&state.hand, now)
        }
    }
}
