// SPDX-License-Identifier: Apache-2.0
// The answer to "why?": one reason of a closed set, in one sentence, since when, when it goes on, and what to do.

package import Foundation
package import Model

/// Why a user stands where he stands. The sentence has no subject: it is about the user.
package struct Why: Sendable, Codable, Equatable {
    package let code: WhyCode
    /// One sentence for a tenant's administrator.
    package let text: String
    @OrNull package private(set) var since: Date?
    /// When something happens by itself; nil: nothing does, or nobody knows when.
    @OrNull package private(set) var nextAt: Date?
    /// What a person can do; nil: nothing is needed.
    @OrNull package private(set) var action: String?

    package init(_ code: WhyCode, _ text: String, since: Date? = nil, nextAt: Date? = nil, action: String? = nil) {
        self.code = code
        self.text = text
        self.since = since
        self.nextAt = nextAt
        self.action = action
    }

    /// Returns the reason with commands that can be run as they are.
    func naming(_ user: String, of tenant: TenantID) -> Why {
        guard let action = self.action else { return self }
        var why = self
        var named = action
        for verb in ["retry", "reopen"] {
            named = named.replacing(
                "dialtone user \(verb)", with: "dialtone user \(verb) --tenant \(tenant) \(ShellWord.quoted(user))")
        }
        why.action = named.replacing(
            "tenant update --connection-id", with: "tenant update \(tenant) --connection-id ID")
        return why
    }

    enum CodingKeys: String, CodingKey {
        case code, text, since, action
        case nextAt = "next_at"
    }
}

/// The closed set of reasons. docs/why.md has a line for each; a test compares them.
package enum WhyCode: String, Sendable, CaseIterable, Codable {
    // The user waits for a credential.
    case inLine = "in_line"
    case beingMade = "being_made"
    case tryingAgain = "trying_again"
    case makingSure = "making_sure"
    case afterRestart = "after_restart"
    case slowDown = "slow_down"
    case rateLimited = "rate_limited"
    case keyRefused = "key_refused"
    case connectionRefused = "connection_refused"
    case tenantRefused = "tenant_refused"
    case noWorker = "no_worker"
    case forgotten = "forgotten"
    // The user was given up.
    case rejected = "rejected"
    case gaveUp = "gave_up"
    // The user has what he shall have.
    case ready = "ready"
    case readyNewComing = "ready_new_coming"
    case readyOldLeaving = "ready_old_leaving"
    case readyMissing = "ready_missing"
    // The user shall have nothing.
    case removing = "removing"
    case heldBack = "held_back"
    case removed = "removed"
    case removedByOperator = "removed_by_operator"
    case removedUnclear = "removed_unclear"
    case unknown = "unknown"

    /// A word of a newer service says at least that the user waits.
    package init(from decoder: any Decoder) throws {
        let word = try decoder.singleValueContainer().decode(String.self)
        self = Self(rawValue: word) ?? .tryingAgain
    }

    /// How a script sorts the reasons; the exit code of `dialtone why` follows it.
    package enum Kind: Sendable {
        case asWanted, waits, failed, unknown
    }

    package var kind: Kind {
        switch self {
        case .ready, .readyNewComing, .readyOldLeaving, .removed, .removedByOperator: .asWanted
        case .inLine, .beingMade, .tryingAgain, .makingSure, .afterRestart, .slowDown, .rateLimited, .keyRefused,
            .connectionRefused, .tenantRefused, .noWorker, .forgotten, .readyMissing, .removing, .heldBack:
            .waits
        case .rejected, .gaveUp, .removedUnclear: .failed
        case .unknown: .unknown
        }
    }
}
