// SPDX-License-Identifier: Apache-2.0
// A node stops its creates while their outcomes are unknown, so that a provider in trouble does not put a whole import in
// doubt.

import Synchronization

/// The brake of this node.
///
///             eight unknown in a row            a look is answered
///     open ───────────────────────▶ stopped ───────────────────────▶ a round of 1, 2, 4 … 64 creates
///      ▲                               ▲                                │            │
///      │                               └──────── none has worked ───────┘            │
///      └──────────────────────────── the round of 64 has worked ────────────────────┘
///
/// The brake is the node's own. A node whose network is broken stops itself and no other. The first look is due after 5
/// seconds, and later ones after 10, 20 and 30.
///
/// Lock: `state` has its own, and nothing is called while it is held.
package final class Brake: Sendable {
    /// A create that was let go.
    package struct Ticket: Sendable {
        let number: Int
        /// The round that it belongs to; nil: the brake was open.
        let round: Int?
        let purpose: CreatePurpose
    }

    /// What an outcome means for others.
    package enum Verdict: Sendable, Equatable {
        case goesOn
        /// This node sends no create for a while.
        case stopped
        /// The breaker of this scope is to open. Others work on this node, so the trouble is the scope's own.
        case opens(LimitScope)
    }

    private enum Phase {
        case open
        case stopped(until: ContinuousClock.Instant)
        case round(Round)
    }

    /// So many creates go, and the next round is twice as large if one of them works.
    private struct Round {
        var number: Int
        var size: Int
        var left: Int
        var underWay = 0
        var hasWorked = false
    }

    private struct State {
        var phase = Phase.open
        var line = CreateLine()
        /// Stops in a row without a round that worked between them.
        var stops = 0
        var rounds = 0
        /// When a create of this tenant, or of this connection, last had a known outcome.
        var known: [LimitScope: ContinuousClock.Instant] = [:]
    }

    /// The size of the last round.
    private static let fullRound = 64
    /// Until the first look, and the next ones.
    private static let pauses: [Duration] = [.seconds(5), .seconds(10), .seconds(20), .seconds(30)]

    private let state = Mutex(State())
    /// The time, for tests.
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    /// What the node may do now.
    package enum Room: Sendable, Equatable {
        /// So many creates may be claimed, at most.
        case creates(Int)
        /// Nothing before a look at the provider is answered; `looked` takes its result.
        case lookFirst
        /// Nothing for this long.
        case wait(Duration)
    }

    /// Returns what may be done of `wanted` creates. It takes nothing: `take` does, right before a create is sent.
    package func room(for wanted: Int) -> Room {
        let now = self.now()
        return self.state.withLock { state in
            switch state.phase {
            case .open: .creates(wanted)
            case .stopped(let until): until > now ? .wait(now.duration(to: until)) : .lookFirst
            case .round(let round):
                round.left > 0 ? .creates(min(wanted, round.left)) : .wait(.milliseconds(100))
            }
        }
    }

    /// The look that a stopped brake asked for was answered, or failed.
    package func looked(isAnswered: Bool) {
        let now = self.now()
        self.state.withLock { state in
            guard case .stopped(let until) = state.phase, until <= now else { return }
            if isAnswered {
                Self.begin(1, &state)
            } else {
                Self.stop(&state, at: now)
            }
        }
    }

    /// Lets one create go, which is sent now. Returns how long it waits when it may not go.
    package func take(_ purpose: CreatePurpose) -> Result<Ticket, Held> {
        let now = self.now()
        return self.state.withLock { state in
            var roundNumber: Int?
            switch state.phase {
            case .open: break
            case .stopped(let until): return .failure(Held(wait: max(.seconds(1), now.duration(to: until))))
            case .round(var round):
                guard round.left > 0 else { return .failure(Held(wait: .seconds(1))) }
                round.left -= 1
                round.underWay += 1
                roundNumber = round.number
                state.phase = .round(round)
            }
            return .success(Ticket(number: state.line.sent(purpose, at: now), round: roundNumber, purpose: purpose))
        }
    }

    /// A create is held back for this long.
    package struct Held: Error, Sendable { package let wait: Duration }

    /// The outcome of a create is there. Returns what it means for the node, and for others.
    @discardableResult
    package func returned(_ ticket: Ticket, isKnown: Bool) -> Verdict {
        let now = self.now()
        return self.state.withLock { state in
            if isKnown { Self.remember(ticket.purpose, &state, at: now) }
            let run = state.line.returned(ticket.number, isKnown: isKnown)
            switch state.phase {
            case .open:
                guard let run else { return .goesOn }
                if let scope = Self.narrowestScope(of: run, state) { return .opens(scope) }
                Self.stop(&state, at: now)
                return .stopped
            case .stopped: return .goesOn
            case .round(var round):
                // A create of before the stop says nothing of the provider now.
                guard ticket.round == round.number else { return .goesOn }
                round.underWay -= 1
                round.hasWorked = round.hasWorked || isKnown
                state.phase = .round(round)
                return Self.goOn(after: round, &state, at: now) ? .stopped : .goesOn
            }
        }
    }

    private static func remember(_ purpose: CreatePurpose, _ state: inout State, at now: ContinuousClock.Instant) {
        if state.known.count > 10_000 { state.known = [:] }
        state.known[.tenant(purpose.tenant)] = now
        state.known[.connection(purpose.connection)] = now
    }

    /// Returns the tenant, or else the connection, that all of the run were for, when another one has worked since the
    /// run began. Three users at least must be among them: one user's creates may fail for their own reason.
    private static func narrowestScope(of run: CreateLine.Run, _ state: State) -> LimitScope? {
        guard Set(run.purposes.map(\.user)).count >= 3, let first = run.purposes.first else { return nil }
        let works = state.known.filter { $0.value > run.since }.keys
        let tenant = LimitScope.tenant(first.tenant)
        if run.purposes.allSatisfy({ $0.tenant == first.tenant }), works.contains(where: { $0.isAnother(tenant) }) {
            return tenant
        }
        let connection = LimitScope.connection(first.connection)
        let isOne = run.purposes.allSatisfy { $0.connection == first.connection }
        return isOne && works.contains { $0.isAnother(connection) } ? connection : nil
    }

    /// Ends the round when all that it let go has returned, or when one has worked and nothing is left to go. Returns
    /// whether the node is stopped again.
    private static func goOn(after round: Round, _ state: inout State, at now: ContinuousClock.Instant) -> Bool {
        if round.hasWorked {
            state.stops = 0
            guard round.left == 0 else { return false }
            if round.size >= Self.fullRound {
                state.phase = .open
                state.line.forget()
            } else {
                Self.begin(round.size * 2, &state)
            }
            return false
        }
        guard round.underWay == 0, round.left == 0 else { return false }
        Self.stop(&state, at: now)
        return true
    }

    private static func begin(_ size: Int, _ state: inout State) {
        state.rounds += 1
        state.phase = .round(Round(number: state.rounds, size: size, left: size))
    }

    private static func stop(_ state: inout State, at now: ContinuousClock.Instant) {
        state.phase = .stopped(until: now + Self.pauses[min(state.stops, Self.pauses.count - 1)])
        state.stops += 1
        state.line.forget()
    }
}
