// SPDX-License-Identifier: Apache-2.0
// How often something is done, counted in the ticks of a loop, so that a test needs no clock.

/// An interval, and the time before the first turn. Chores with different first times do not fall into one tick.
struct Schedule: Sendable, Equatable {
    /// From one turn to the next; zero: at every tick.
    private let interval: Duration
    /// From tick 0 to the first turn.
    private let first: Duration

    static let everyTick = Schedule(interval: .zero, first: .zero)

    static func every(_ interval: Duration, from first: Duration = .zero) -> Schedule {
        Schedule(interval: interval, first: first)
    }

    /// Whether `tick` has a turn. Ticks count from 0, and each lasts `length`; times are rounded to whole ticks.
    func isDue(at tick: Int, of length: Duration) -> Bool {
        let period = max(1, Int((self.interval / length).rounded()))
        let phase = Int((self.first / length).rounded())
        return tick >= phase && (tick - phase).isMultiple(of: period)
    }
}
