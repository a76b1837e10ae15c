// SPDX-License-Identifier: Apache-2.0
// Answers a sender that would not wait for the commit: 503 in good time, so that it comes again.

import Model
import Synchronization

/// Some senders wait three seconds, and take a hook that is later for broken. The delivery is written all the same, and
/// the sender's next try is a duplicate.
final class LateAnswers: Sendable {
    private let awaited = Mutex<[AwaitedAnswer]>([])

    /// Returns a completion that calls `answer` once: with what it is given, or with `unavailable` after `due`.
    func answer(
        by due: ContinuousClock.Instant, _ answer: @escaping WriteCompletion
    ) -> WriteCompletion {
        let awaited = AwaitedAnswer(due: due, answer)
        self.awaited.withLock { $0.append(awaited) }
        return { awaited.give($0) }
    }

    /// Answers all that are due.
    func tell(now: ContinuousClock.Instant = .now) {
        let late = self.awaited.withLock { awaited in
            awaited.removeAll(where: \.isGiven)
            let late = awaited.filter { $0.due <= now }
            awaited.removeAll { $0.due <= now }
            return late
        }
        for one in late { one.give(.failure(.unavailable)) }
    }

    /// Looks ten times a second.
    ///
    /// Cancelled here: the loop ends. The writers answer what they still commit.
    func run(clock: some Clock<Duration> = ContinuousClock()) async {
        while !Task.isCancelled {
            try? await clock.sleep(for: .milliseconds(100))
            self.tell()
        }
    }
}

/// An answer that is given once, by whoever comes first.
private final class AwaitedAnswer: Sendable {
    let due: ContinuousClock.Instant
    private let completion: Mutex<WriteCompletion?>

    init(due: ContinuousClock.Instant, _ completion: @escaping WriteCompletion) {
        self.due = due
        self.completion = Mutex(completion)
    }

    var isGiven: Bool { self.completion.withLock { $0 == nil } }

    func give(_ result: Result<Receipt, IntakeError>) {
        let completion = self.completion.withLock { completion in
            defer { completion = nil }
            return completion
        }
        completion?(result)
    }
}
