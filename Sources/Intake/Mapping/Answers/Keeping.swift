// SPDX-License-Identifier: Apache-2.0
// What of a body may be kept for an operator, when its event cannot be used.

import Model

/// Some bodies hold secrets: hashes of passwords, one-time tokens.
package struct Keeping: Sendable, Equatable {
    /// Members whose values are taken out, at any depth.
    package let secretMembers: Set<String>
    /// False: nothing of the body is kept but what the mapping has picked, so the event cannot be tried again.
    package let keepsBody: Bool

    init(_ section: Section) throws(InvalidValue) {
        self.secretMembers = Set(try section.texts("secret_members") ?? [])
        self.keepsBody = try section.choice("quarantine", of: Kept.self) != .picks
    }

    private enum Kept: String, CaseIterable { case body, picks }

    /// Returns what may be kept of a body. Nil: nothing. A body that is no JSON holds its secrets anywhere, so nothing
    /// of it is kept where some are named.
    package func kept(of body: [UInt8]) -> [UInt8]? {
        guard self.keepsBody else { return nil }
        if self.secretMembers.isEmpty { return body }
        return try? JSONBlanking.text(body, without: self.secretMembers)
    }
}
