// SPDX-License-Identifier: Apache-2.0
// Keeps answers back from those who ask too much, so that they cannot take the processor from others.

/// A client that is refused and asks again at once costs as much as one that is served. Its answer waits, and so does
/// its next request. Nothing else waits: a proxy may use the connection for another client as soon as it has the answer.
enum AnswerDelay {
    /// How long an answer is kept back. A probe with a time limit of a second still gets it.
    static let time = Duration.milliseconds(500)

    /// Returns whether this refusal waits: its client asks too much, and is told to come again later.
    static func holds(_ problem: Problem) -> Bool {
        switch problem.code {
        case "busy", "too_many_requests", "too_many_tokens": true
        default: problem.isOfLookUps
        }
    }

    /// Returns after `time`, or at once when the task is cancelled: the answer is sent in both cases.
    static func pass() async { try? await Task.sleep(for: Self.time) }
}
