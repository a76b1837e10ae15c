// SPDX-License-Identifier: Apache-2.0
// The answers that a sender understands.

/// A status and, where the sender reads one, a body.
package struct SenderAnswer: Sendable, Equatable {
    package var status: Int
    package var body: String?
    package var contentType: String?

    package init(status: Int, body: String? = nil, contentType: String? = nil) {
        self.status = status
        self.body = body
        self.contentType = contentType
    }
}

/// What a proven delivery is answered with, by its outcome. Refusals and overload have the same answers for everybody.
package struct SenderAnswers: Sendable, Equatable {
    package enum Outcome: String, CaseIterable, Sendable {
        case accepted
        /// Told before, or something newer was.
        case known
        case ignored
        case quarantined
    }

    var answers: [Outcome: SenderAnswer] = [:]
    /// How long the sender waits at most, less a margin. Nil: longer than a commit takes.
    package var within: Duration?

    package subscript(outcome: Outcome) -> SenderAnswer {
        if let answer = self.answers[outcome] { return answer }
        switch outcome {
        case .accepted, .quarantined: return SenderAnswer(status: 202)
        case .known, .ignored: return SenderAnswer(status: 200)
        }
    }
}
