// SPDX-License-Identifier: Apache-2.0
// Follows a user after its event, and says each step, until the user is where the event leads.

import Directory
import Foundation
import Model

/// Where a user stands, as the API or the database tells it.
struct UserLook: Sendable {
    struct Step: Sendable, Equatable {
        /// As `RFC3339.text` writes it, so that a later time is a greater text.
        let at: String
        let from: String
        let to: String
        let reason: String?

        fileprivate var text: String {
            "  \(self.at)  \(self.from) → \(self.to)\(self.reason.map { " (\($0))" } ?? "")"
        }
    }

    let status: UserStatus
    /// In the order of time.
    let steps: [Step]

    init(status: UserStatus, steps: [Step]) {
        self.status = status
        self.steps = steps
    }

    /// Looks at a user; nil while there is none. A life of more than a page is shown by its first page only.
    init?(_ user: UserKey, by questions: some Questions) async throws {
        guard let entry = try await questions.user(user), let status = UserStatus(rawValue: entry.status),
            let timeline = try await questions.timeline(user, after: nil, limit: 200)
        else { return nil }
        self.status = status
        self.steps = timeline.data.compactMap { step in
            guard let from = step.from, let to = step.to else { return nil }
            return Step(at: RFC3339.text(step.at), from: from, to: to, reason: step.code)
        }
    }
}

/// The user did not get there.
package struct NotThere: Error, CustomStringConvertible {
    package let description: String
}

struct FollowUser: Sendable {
    let user: UserKey
    let goal: UserStatus
    let timeout: Duration
    /// Earlier steps are not said: they are of an earlier event.
    let since: Date
    let say: @Sendable (String) -> Void

    /// The pause between two looks.
    private static let pause: Duration = .milliseconds(250)

    /// Returns when the user has the status. Throws `NotThere` when the time is over, or when no more tries are made.
    ///
    /// `look` returns nil while there is no such user. Cancelled here: the user goes on without us.
    func run(_ look: @Sendable () async throws -> UserLook?) async throws {
        let end = ContinuousClock.now + self.timeout
        let start = RFC3339.text(self.since)
        var told: [UserLook.Step] = []
        var last: UserStatus?
        while true {
            if let found = try await look() {
                for step in found.steps where step.at >= start && !told.contains(step) {
                    self.say(step.text)
                    told.append(step)
                }
                if last != found.status { self.say("\(self.name) is \(found.status.rawValue)") }
                last = found.status
                if last == self.goal { return }
                if last == .failed { throw NotThere(description: "\(self.name) has failed; see dialtone user show") }
            }
            guard ContinuousClock.now < end else { throw self.late(last) }
            try await Task.sleep(for: Self.pause)
        }
    }

    private var name: String { "user \(self.user.user) of \(self.user.tenant)" }

    private func late(_ status: UserStatus?) -> NotThere {
        let seconds = self.timeout.components.seconds
        guard let status else {
            return NotThere(
                description: "there is no \(self.name) after \(seconds) s; dialtone event list --quarantined shows "
                    + "what could not be used, and dialtone source check what a source makes of an event")
        }
        return NotThere(
            description: "\(self.name) is still \(status.rawValue) after \(seconds) s; dialtone why says why")
    }
}
