// SPDX-License-Identifier: Apache-2.0
// Whether this process must be started anew: its event loops and its worker still come round. It asks no database,
// because a new process would not bring a database back.

package import Telemetry

package struct Liveness: Sendable {
    /// Longer than a worker's turn may wait for a database that does not answer: for a connection and for its reply,
    /// with the claim's question before it.
    static let longestTurn: Duration = .seconds(120)
    static let longestSilence: Duration = .seconds(10)

    private let loops: LoopWatch
    private let worker: WorkerPulse?

    /// `worker` is nil in a process without one.
    package init(loops: LoopWatch, worker: WorkerPulse?) {
        self.loops = loops
        self.worker = worker
    }

    /// What does not come round any more. Empty while all is well.
    package func troubles() -> [String] {
        var troubles: [String] = []
        if self.loops.silence > Self.longestSilence {
            troubles.append("an event loop is blocked since \(self.loops.silence.components.seconds) s")
        }
        if let worker, worker.age > Self.longestTurn {
            troubles.append("the worker has made no turn since \(worker.age.components.seconds) s")
        }
        return troubles
    }
}
