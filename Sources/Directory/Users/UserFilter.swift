// SPDX-License-Identifier: Apache-2.0
// Which users a list is about, and in which order they come.

package import Foundation
package import Model

/// A filter; each member that is set narrows the list. The order of the members is that of the list's words.
package struct UserFilter: Sendable, Equatable {
    /// Users with one of these; empty: all.
    package var status: Set<UserStatus> = []
    /// Sign-ups that arrived at this time or later.
    package var receivedAfter: Date?
    /// Sign-ups that arrived before this time.
    package var receivedBefore: Date?
    /// Users with a credential under this tag.
    package var tag: String?
    /// Users of whom this source has spoken last, by its slug.
    package var source: String?
    /// The user of this id.
    package var id: UserID?
    /// Users whose id begins so.
    package var prefix: String?
    /// The user with this e-mail address, where a source hands it over. Capitals make no difference.
    package var email: String?
    /// The user with this SIP username.
    package var sipUsername: String?

    package init() {}

    package init(status: UserStatus) { self.status = [status] }

    /// The filter in words. Two filters with the same words are the same list. It holds no line's end.
    package var words: String {
        let parts: [(String, String?)] = [
            ("status", self.status.isEmpty ? nil : self.status.map(\.rawValue).sorted().joined(separator: ",")),
            ("received_after", self.receivedAfter.map(Self.text)),
            ("received_before", self.receivedBefore.map(Self.text)), ("tag", self.tag), ("source", self.source),
            ("id", self.id?.rawValue), ("prefix", self.prefix), ("email", self.email?.lowercased()),
            ("sip_username", self.sipUsername),
        ]
        return parts.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: " ")
            .replacing("\n", with: " ")
    }

    /// Whether every user of the tenant passes.
    var isEmpty: Bool { self == UserFilter() }

    private static func text(_ date: Date) -> String { "\(Int64((date.timeIntervalSince1970 * 1_000_000).rounded()))" }
}

/// The order of a list of users.
package enum UserOrder: String, Sendable, CaseIterable {
    /// By the user's id, byte by byte.
    case id = "user_id"
    /// The newest sign-up first.
    case newest = "-received_at"
}
