// SPDX-License-Identifier: Apache-2.0
// The lines that commands print about users: a user, the reason, and the outcome of an action.

package import Directory
import Foundation
package import Model

package struct UserLine: Line {
    package let entry: UserEntry

    package static let heading = ["USER", "STATUS", "WHY", "TAG", "SIP USERNAME", "CREDENTIAL"]
    package static let flexible = [2]
    package static let spare = [5, 4, 3]
    package var cells: [String] {
        [
            self.entry.userID, self.entry.status, self.entry.why?.text ?? "", self.entry.tag ?? "",
            self.entry.sipUsername ?? "", self.entry.credentialID ?? "",
        ]
    }

    package init(_ entry: UserEntry) { self.entry = entry }

    package func encode(to encoder: any Encoder) throws { try self.entry.encode(to: encoder) }

    /// The sender has chosen the id, and the provider the other words. None of them can begin a line of its own.
    package var summary: String {
        let words = [
            self.entry.name ?? self.entry.userID, self.entry.credentialID ?? "none", self.entry.sipUsername ?? "none",
        ].map { VisibleText.escaped($0) }
        let known = [self.entry.name == nil ? nil : self.entry.userID, self.entry.email].compactMap { $0 }
            .map { VisibleText.escaped($0) }.joined(separator: ", ")
        return """
            \(words[0])\(known.isEmpty ? "" : " (\(known))") of \(self.entry.tenant) \
            \(self.entry.why?.text ?? "is \(self.entry.status)")\(self.whyWords)
              status        \(self.entry.status), generation \(self.entry.generation)
              credential    \(words[1])
              SIP username  \(words[2])
              tag           \(self.entry.tag ?? "none")
              received      \(RFC3339.text(self.entry.receivedAt))
              ready         \(self.entry.readyAt.map(RFC3339.text) ?? "no")
            """
    }

    private var whyWords: String { self.entry.why.map { WhyLine($0).rest } ?? "" }
}

/// A reason in words.
package struct WhyLine: Sendable {
    private let why: Why

    package init(_ why: Why) { self.why = why }

    /// What follows the sentence: since when, when it goes on, and what to do.
    package var rest: String {
        let lines = [
            self.why.since.map { "since \(RFC3339.text($0))" },
            self.why.nextAt.map { "next  \(RFC3339.text($0))\(self.goesOnByItself ? ", by itself" : "")" },
            self.why.action.map { "→ \($0)" },
        ].compactMap { $0 }
        return lines.map { "\n  \($0)" }.joined()
    }

    private var goesOnByItself: Bool { [.failed, .waits].contains(self.why.code.kind) }

    package func sentence(of user: UserKey) -> String {
        "\(VisibleText.escaped(user.user.rawValue)) of \(user.tenant) \(self.why.text)\(self.rest)"
    }

    /// 0: as wanted; 3: unknown; 6: waits; 9: failed for good.
    package var exitCode: Int32 {
        switch self.why.code.kind {
        case .asWanted: 0
        case .unknown: 3
        case .waits: 6
        case .failed: 9
        }
    }
}

package struct TimelineLine: Line {
    private let entry: TimelineEntry

    package static let heading = ["AT", "WHAT", "MS", "HTTP", "CODE", "WHERE", "PROVIDER REQUEST"]
    package static let flexible = [5, 4]
    package static let spare = [6, 2]
    package var cells: [String] {
        [
            RFC3339.text(self.entry.at), self.entry.kind.rawValue,
            self.entry.callMilliseconds.map { "\($0)" } ?? "", self.entry.httpStatus.map { "\($0)" } ?? "",
            self.entry.code ?? "", self.place, self.entry.providerRequestID ?? "",
        ]
    }

    /// The same without a heading.
    package var words: String {
        [
            RFC3339.text(self.entry.at), self.entry.kind.rawValue.padding(toLength: 17, withPad: " ", startingAt: 0),
            self.entry.httpStatus.map { "HTTP \($0)" }, self.entry.callMilliseconds.map { "\($0) ms" }, self.entry.code,
            self.place, self.entry.providerRequestID.map { "request \($0)" },
        ].compactMap(\.self).joined(separator: "  ")
    }

    /// Which event, credential, action or transition of the job it was. A source of several tenants has no name here.
    private var place: String {
        if let delivery = self.entry.deliveryID {
            return [self.entry.source, delivery].compactMap(\.self).joined(separator: " ")
        }
        if let event = self.entry.eventID { return "event \(event)" }
        if let credential = self.entry.credentialID { return "generation \(self.entry.generation ?? 0): \(credential)" }
        if let from = self.entry.from, let to = self.entry.to { return "\(from) → \(to)" }
        return [self.entry.actor, self.entry.requestID].compactMap(\.self).joined(separator: " ")
    }

    package init(_ entry: TimelineEntry) { self.entry = entry }

    package func encode(to encoder: any Encoder) throws { try self.entry.encode(to: encoder) }
}

/// What an erasure has done. It does not name the user again.
package struct ErasureLine: Encodable, Sendable {
    package let tenant: String
    package let events: Int64
    package let kept_in_sources: Int64

    init(_ tenant: TenantID, _ report: UserErasure.Report) {
        self.tenant = tenant.rawValue
        self.events = report.events
        self.kept_in_sources = report.keptInSources
    }

    package var text: String {
        var text = "the user is erased; \(self.events) events name nobody any more"
        if self.kept_in_sources > 0 {
            text += "\n\(self.kept_in_sources) sources still know the person as a member of another organisation"
        }
        return text
    }
}

/// The outcome of an action on a user.
package struct ActionLine: Encodable, Sendable {
    package let tenant: String
    package let user_id: String
    package let status: String
    /// Leads back to this action: `dialtone find`, and the user's timeline.
    package let request_id: String

    init(_ user: UserKey, _ status: UserStatus, request: String) {
        self.tenant = user.tenant.rawValue
        self.user_id = user.user.rawValue
        self.status = status.rawValue
        self.request_id = request
    }
}
