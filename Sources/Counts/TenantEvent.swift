// SPDX-License-Identifier: Apache-2.0
// What is counted of a tenant, and the row that a minute of it becomes.

package import Model

/// Something that has happened in a tenant.
package enum TenantEvent: Sendable, Equatable {
    /// An event came, and this became of it.
    case received(EventOutcome)
    /// A user got a credential, so long after the event that asked for it. Nil: that time is not known.
    case ready(after: Duration?)
    /// A user was given up.
    case failed
    /// A user was revoked, and has no credential any more.
    case revoked
}

/// The bounds of the column `tenant_minutes.latency`.
package enum LatencyBuckets {
    /// The upper bounds of all buckets but the last, in ascending order. A time on a bound is inside.
    package static let bounds: [Duration] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
    ].map { .milliseconds($0) }

    /// How many buckets there are, with that of longer times.
    package static let count = Self.bounds.count + 1

    static func place(of time: Duration) -> Int { Self.bounds.firstIndex { time <= $0 } ?? Self.bounds.count }
}

/// The counts of one tenant in one minute.
struct TenantCount: Sendable, Equatable {
    var accepted: Int32 = 0
    var duplicate: Int32 = 0
    var superseded: Int32 = 0
    var ignored: Int32 = 0
    var quarantined: Int32 = 0
    var ready: Int32 = 0
    var failed: Int32 = 0
    var revoked: Int32 = 0
    /// By bucket; empty while no time was counted.
    var latency: [Int32] = []

    mutating func add(_ event: TenantEvent, times: Int32) {
        switch event {
        case .received(.accepted): self.accepted += times
        case .received(.duplicate): self.duplicate += times
        case .received(.superseded): self.superseded += times
        case .received(.ignored): self.ignored += times
        case .received(.quarantined): self.quarantined += times
        case .ready(let time):
            self.ready += times
            guard let time else { return }
            if self.latency.isEmpty { self.latency = Array(repeating: 0, count: LatencyBuckets.count) }
            self.latency[LatencyBuckets.place(of: time)] += times
        case .failed: self.failed += times
        case .revoked: self.revoked += times
        }
    }

    mutating func add(_ other: TenantCount) {
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.superseded += other.superseded
        self.ignored += other.ignored
        self.quarantined += other.quarantined
        self.ready += other.ready
        self.failed += other.failed
        self.revoked += other.revoked
        if self.latency.isEmpty {
            self.latency = other.latency
        } else {
            for (place, number) in other.latency.enumerated() { self.latency[place] += number }
        }
    }
}
