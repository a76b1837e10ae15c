// SPDX-License-Identifier: Apache-2.0
// How often a value was how large: a histogram with fixed buckets.

import Synchronization

/// Counts values by bucket. An observation takes one lock and allocates nothing.
package final class Histogram: Sendable {
    /// What a scrape reads.
    struct Snapshot: Sendable {
        /// Observations in each bucket alone, and behind the last bound.
        var counts: [Int]
        var sum = 0.0
    }

    /// The upper bounds of the buckets, in ascending order. A value on a bound is inside.
    let bounds: [Double]
    private let state: Mutex<Snapshot>

    package init(_ bounds: [Double]) {
        self.bounds = bounds
        self.state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    package func observe(_ value: Double) {
        let place = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    /// In seconds. A time before zero comes from a clock that was set back, and counts as zero.
    package func observe(_ duration: Duration) { self.observe(max(0, duration / .seconds(1))) }

    /// Observations so far.
    package var count: Int { self.snapshot.counts.reduce(0, +) }

    var snapshot: Snapshot { self.state.withLock { $0 } }
}

/// The bounds of the histograms.
package enum Buckets {
    /// Seconds, for what takes milliseconds.
    package static let latency = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Seconds, from a webhook to its credential: an unclear create may take minutes.
    package static let story = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600,
    ]
    /// Rows of a batch.
    package static let batch: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    /// Seconds of an HTTP call, as OpenTelemetry advises.
    package static let call = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
}
