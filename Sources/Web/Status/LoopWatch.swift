// SPDX-License-Identifier: Apache-2.0
// Watches the event loops: a loop that is blocked answers nobody on its connections, and no other loop shows that.

package import NIOCore
import NIOPosix
package import Telemetry

/// A tick on each event loop every second. It shows how late the loop is, and that the loop comes round at all.
package final class LoopWatch: Sendable {
    private static let interval: Duration = .seconds(1)

    private let loops: [any EventLoop]
    private let pulses: [WorkerPulse]
    private let delay: Histogram

    /// Watches the loops that the listeners run on.
    package convenience init(delay: Histogram) {
        self.init(Array(MultiThreadedEventLoopGroup.singleton.makeIterator()), delay: delay)
    }

    package init(
        _ loops: [any EventLoop], delay: Histogram,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.loops = loops
        self.pulses = loops.map { _ in WorkerPulse(now: now) }
        self.delay = delay
    }

    /// Since the tick of the loop that ticked longest ago.
    package var silence: Duration { self.pulses.map(\.age).max() ?? .zero }

    /// Ticks until the task is cancelled.
    package func run() async {
        let ticks = self.start()
        try? await Task.sleep(for: .seconds(1_000_000_000))
        for tick in ticks { tick.cancel() }
    }

    /// Returns the ticks, to be cancelled at the end.
    func start() -> [RepeatedTask] {
        let delay = self.delay
        return zip(self.loops, self.pulses).map { loop, pulse in
            pulse.turned()
            return loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                delay.observe(pulse.age - LoopWatch.interval)
                pulse.turned()
            }
        }
    }
}
