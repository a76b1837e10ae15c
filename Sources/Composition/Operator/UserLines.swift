// SPDX-License-Identifier: Apache-2.0
// The lines that commands print about users: a user, its timeline, and the outcome of an action.

import Directory
import Foundation
import Model

package struct UserLine: Line {
    private let entry: UserEntry

    package static let heading = ["USER", "STATUS", "TAG", "SIP USERNAME", "CREDENTIAL"]
    package var cells: [String] {
        [
            self.entry.userID, self.entry.status, self.entry.tag ?? "", self.entry.sipUsername ?? "",
            self.entry.credentialID ?? "",
        ]
    }

    init(_ entry: UserEntry) { self.entry = entry }

    package func encode(to encoder: any Encoder) throws { try self.entry.encode(to: encoder) }

    /// The sender has chosen the id, and the provider the other words. None of them can begin a line of its own.
    package var summary: String {
        let words = [self.entry.userID, self.entry.credentialID ?? "none", self.entry.sipUsername ?? "none"]
            .map { VisibleText.escaped($0) }
        return """
            \(words[0]) of \(self.entry.tenant): \(self.entry.status), generation \(self.entry.generation)
              credential    \(words[1])
              SIP username  \(words[2])
              tag           \(self.entry.tag ?? "none")
              received      \(RFC3339.text(self.entry.receivedAt))
              ready         \(self.entry.readyAt.map(RFC3339.text) ?? "no")
            """
    }
}

package struct TimelineLine: Line {
    private let entry: TimelineEntry

    /// The maximum number of lines that are shown.
    package static let limit = Users.timelineLimit

    package static let heading = [
        "AT", "FROM", "TO", "GENERATION", "EPOCH", "WORKER", "HTTP", "REASON", "PROVIDER REQUEST",
    ]
    package var cells: [String] {
        [
            RFC3339.text(self.entry.at), self.entry.from,
            self.entry.to, "\(self.entry.generation)", "\(self.entry.epoch)",
            self.entry.worker.map { String($0.prefix(8)) } ?? "", self.entry.httpStatus.map { "\($0)" } ?? "",
            self.entry.errorCode ?? "",
            self.entry.providerRequestID ?? "",
        ]
    }

    init(_ entry: TimelineEntry) { self.entry = entry }

    package func encode(to encoder: any Encoder) throws { try self.entry.encode(to: encoder) }
}

/// What an erasure has done. It does not name the user again.
package struct ErasureLine: Encodable, Sendable {
    package let tenant: String
    package let events: Int64
    package let kept_delivery_ids: Int64
    package let kept_in_sources: Int64

    init(_ tenant: TenantID, _ report: UserErasure.Report) {
        self.tenant = tenant.rawValue
        self.events = report.events
        self.kept_delivery_ids = report.keptDeliveryIDs
        self.kept_in_sources = report.keptInSources
    }

    package var text: String {
        var text = "the user is erased; \(self.events) events name nobody any more"
        if self.kept_delivery_ids > 0 {
            text += """

                \(self.kept_delivery_ids) events keep a delivery id that holds the user's id: their sender signs no \
                time, so the id is the only guard against a replay
                """
        }
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

    init(_ user: UserKey, _ status: UserStatus) {
        self.tenant = user.tenant.rawValue
        self.user_id = user.user.rawValue
        self.status = status.rawValue
    }
}
