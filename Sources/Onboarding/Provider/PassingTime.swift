// SPDX-License-Identifier: Apache-2.0
// The time and its passing, for what waits; tests have their own.

struct PassingTime: Sendable {
    var now: @Sendable () -> ContinuousClock.Instant = { .now }
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
}
