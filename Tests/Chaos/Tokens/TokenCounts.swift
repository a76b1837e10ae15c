// SPDX-License-Identifier: Apache-2.0
// The answers to all requests for a login token, counted, and those that must not have come.

/// A member of the verdict.
struct TokenCounts: Encodable, Sendable {
    private(set) var asked = 0
    /// 200
    private(set) var handed = 0
    /// 202: the user is not ready.
    private(set) var pending = 0
    /// 410
    private(set) var revoked = 0
    /// 503: the database or the provider was away.
    private(set) var unavailable = 0
    /// There was no answer in ten seconds.
    private(set) var unanswered = 0
    /// All other answers, by their status.
    private(set) var others: [String: Int] = [:]
    /// Tokens of users whose delete was acknowledged before they were asked for.
    private(set) var afterRevoke = 0
    /// Answers that no trouble excuses, as sentences.
    private(set) var findings: [String] = []

    private enum CodingKeys: String, CodingKey {
        case asked, handed, pending, revoked, unavailable, unanswered, others, afterRevoke
    }

    /// Counts an answer; nil means that none came. `mayHaveToken` tells whether a token was right.
    mutating func add(_ status: Int?, to asked: Senders.Asked, mayHaveToken: Bool) {
        self.asked += 1
        guard let status else {
            self.unanswered += 1
            return
        }
        switch status {
        case 200:
            self.handed += 1
            guard !mayHaveToken else { return }
            self.afterRevoke += 1
            self.findings.append("\(asked.user) got a token after the delete was acknowledged")
        case 202: self.pending += 1
        case 410: self.revoked += 1
        case 503: self.unavailable += 1
        default:
            self.others["\(status)", default: 0] += 1
            if let finding = Self.finding(status, asked) { self.findings.append(finding) }
        }
    }

    /// 404: no sign-up was acknowledged yet. 409: the user has failed. 429: too many tokens were asked for.
    private static func finding(_ status: Int, _ asked: Senders.Asked) -> String? {
        switch status {
        case 404: asked.isKnown ? "\(asked.user) was unknown after the sign-up was acknowledged" : nil
        case 409, 429: nil
        default: "a token for \(asked.user) was answered with \(status)"
        }
    }
}
