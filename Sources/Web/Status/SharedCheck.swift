// SPDX-License-Identifier: Apache-2.0
// A check that many may ask for at once and that runs once: a flood of probes must not become a flood of queries.

/// One check under way at a time. Its answer serves everybody who asks meanwhile, and all who ask soon after.
package actor SharedCheck<Answer: Sendable> {
    private let lifetime: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let check: @Sendable () async -> Answer
    private var last: (at: ContinuousClock.Instant, answer: Answer)?
    private var underWay: Task<Answer, Never>?

    /// An answer serves for `lifetime`.
    package init(
        lifetime: Duration = .seconds(1), now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        check: @escaping @Sendable () async -> Answer
    ) {
        self.lifetime = lifetime
        self.now = now
        self.check = check
    }

    /// Returns the last answer, or that of the check under way, or that of a new check.
    ///
    /// Cancelled here: the check goes on for the others.
    package func answer() async -> Answer {
        if let last, last.at + self.lifetime > self.now() { return last.answer }
        if let underWay { return await underWay.value }
        let check = self.check
        // Unstructured, because it belongs to everybody who waits for it: it must not end with its first caller.
        let task = Task { await check() }
        self.underWay = task
        let answer = await task.value
        self.last = (self.now(), answer)
        self.underWay = nil
        return answer
    }
}
