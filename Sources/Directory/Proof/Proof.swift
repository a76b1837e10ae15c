// SPDX-License-Identifier: Apache-2.0
// The proof of "exactly one": what the ledger says of a user's credentials, and what the provider says when it is asked.

package import Foundation
package import Model

/// What a proof comes to. It is never `exactlyOne` while anything is open, or of a credential that has expired.
package enum Verdict: String, Sendable, CaseIterable, Codable {
    /// The user shall have one credential, and has it.
    case exactlyOne = "exactly_one"
    /// The user shall have none, and has none.
    case noneAsWanted = "none_as_wanted"
    /// The user shall have one, and has none that serves: none at all, or one that has expired.
    case missing
    /// There is one that should not be there; it is deleted, or waits to be.
    case extra
    /// It cannot be said now: a create is under way or in doubt, or the provider gave no answer or shows another name.
    case unknown
}

package struct Proof: Sendable, Codable, Equatable {
    package let tenant: String
    package let userID: String
    package var verdict: Verdict
    package var observedAt: Date
    package let wanted: String
    package let generation: Generation
    @OrNull package private(set) var ledger: Owned?
    package let history: History
    /// What the provider has said; null where it was not asked.
    @OrNull package var provider: Asked?

    /// The credential that the ledger owns.
    package struct Owned: Sendable, Codable, Equatable {
        package let credentialID: String
        package let generation: Generation
        package let name: String
        package let tag: String
        package let activeSince: Date
        @OrNull package var expiresAt: Date?
        @OrNull package var missingSince: Date?
        /// When a visit last listed the whole tag.
        @OrNull package var seenAt: Date?

        enum CodingKeys: String, CodingKey {
            case generation, name, tag
            case credentialID = "credential_id"
            case activeSince = "active_since"
            case expiresAt = "expires_at"
            case missingSince = "missing_since"
            case seenAt = "seen_at"
        }
    }

    /// How it came to be. The numbers outlive the log.
    package struct History: Sendable, Codable, Equatable {
        package var generations = 0
        package var creates = 0
        package var answersLost = 0
        package var looks = 0
        package var extraFound = 0
        package var extraDeleted = 0
        /// Whether the name of a create that was in doubt is still looked up now and then.
        package var isFollowed = false

        package init() {}

        enum CodingKeys: String, CodingKey {
            case generations, creates, looks
            case answersLost = "answers_lost"
            case extraFound = "extra_found"
            case extraDeleted = "extra_deleted"
            case isFollowed = "is_followed"
        }
    }

    /// The provider's answers to two calls.
    package struct Asked: Sendable, Codable, Equatable {
        /// 200 or 404; null: no answer, or there was no id to ask for.
        @OrNull package var byID: Int?
        /// Whether the credential of that id has expired; null: it was not found.
        @OrNull package var isExpired: Bool?
        /// Whether it bears the name; null: it was not found, or no name is shown.
        @OrNull package var hasName: Bool?
        /// The ids that bear the credential's name; null: no answer.
        @OrNull package var byName: [String]?
        /// Those of them that have expired.
        @OrNull package var expiredByName: [String]?
        package var calls: Int
        package var milliseconds: Int

        package init(
            byID: Int?, isExpired: Bool?, hasName: Bool?, byName: [String]?, expiredByName: [String]?, calls: Int,
            milliseconds: Int
        ) {
            self.byID = byID
            self.isExpired = isExpired
            self.hasName = hasName
            self.byName = byName
            self.expiredByName = expiredByName
            self.calls = calls
            self.milliseconds = milliseconds
        }

        enum CodingKeys: String, CodingKey {
            case calls, milliseconds
            case byID = "by_id"
            case isExpired = "is_expired"
            case hasName = "has_name"
            case byName = "by_name"
            case expiredByName = "expired_by_name"
        }
    }

    enum CodingKeys: String, CodingKey {
        case tenant, verdict, wanted, generation, ledger, history, provider
        case userID = "user_id"
        case observedAt = "observed_at"
    }
}

extension Proof {
    /// What the ledger alone comes to.
    struct Open {
        var isWanted: Bool
        /// Credentials that serve, of the newest generation that has one.
        var active: Int
        /// Credentials that are to be deleted now. One that serves on after a rotation is none of them.
        var closing: Int
        /// Second credentials that are not deleted yet.
        var surplus: Int
        var isMissing: Bool
        /// Whether the credential that serves has expired by the database's clock. It serves nobody then.
        var isExpired: Bool
        /// Whether a create is under way or in doubt, also one of a generation that is not the one shown: it may still
        /// land.
        var isDoubtful: Bool
        /// Whether the user waits for a credential that nobody has begun to make.
        var isWaiting: Bool

        var verdict: Verdict {
            if self.isDoubtful || self.isMissing { return .unknown }
            if self.surplus > 0 { return .extra }
            guard self.isWanted else { return self.active + self.closing == 0 ? .noneAsWanted : .extra }
            // It serves until its delete has been done.
            if self.closing > 0 { return .extra }
            switch self.active {
            case 0: return self.isWaiting ? .unknown : .missing
            case 1 where self.isExpired: return self.isWaiting ? .unknown : .missing
            case 1: return .exactlyOne
            default: return .extra
            }
        }
    }

    /// Whether the ledger says the same as at another time, but for that time.
    package func agrees(with later: Proof) -> Bool {
        self.verdict == later.verdict && self.wanted == later.wanted && self.generation == later.generation
            && self.ledger?.credentialID == later.ledger?.credentialID
    }

    /// Returns the verdict with the provider's word. It can only make the ledger's verdict worse: what is open there stays
    /// open. An answer that is missing leaves it unknown.
    package func verdict(with asked: Asked) -> Verdict {
        guard self.verdict != .unknown, let names = asked.byName else { return .unknown }
        // One that has expired serves nobody, so it is none too many.
        let expired = Set(asked.expiredByName ?? [])
        let serving = names.filter { !expired.contains($0) }
        guard let own = self.ledger?.credentialID else {
            // The ledger has none that serves. Who shall have none may not have an expired one either.
            let extra = self.verdict == .noneAsWanted ? names : serving
            return extra.isEmpty ? self.verdict : .extra
        }
        guard let status = asked.byID, [200, 404].contains(status) else { return .unknown }
        if serving.contains(where: { $0 != own }) { return .extra }
        guard self.verdict == .exactlyOne else { return self.verdict }
        // A list may lag behind, and shows presence only. The call by id decides. Expiry is final, wherever it shows.
        if status == 404 || asked.isExpired == true || expired.contains(own) { return .missing }
        return asked.isExpired == false && asked.hasName == true ? .exactlyOne : .unknown
    }
}
