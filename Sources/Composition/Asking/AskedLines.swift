// SPDX-License-Identifier: Apache-2.0
// The lines that commands print of what they have asked: events, refusals, jobs, failures, tags, findings.

package import Directory
import Foundation
import Model

/// A value of the API as a line: its members of JSON are those of the API.
package protocol AskedLine: Line {
    associatedtype Value: Encodable & Sendable
    var value: Value { get }
}

extension AskedLine {
    package func encode(to encoder: any Encoder) throws { try self.value.encode(to: encoder) }
}

package struct ToldEventLine: AskedLine {
    package let value: ToldEvent
    package init(_ value: ToldEvent) { self.value = value }

    package static let heading = ["RECEIVED", "EVENT", "SOURCE", "USER", "OUTCOME", "WHY", "DELIVERY"]
    package static let flexible = [5, 3]
    package static let spare = [6, 2, 5, 0]
    package var cells: [String] {
        let asks = self.value.outcome == "quarantined" ? "" : self.value.wanted.map { " (\($0))" } ?? ""
        let why = [self.value.reason ?? self.value.detail, self.value.pointer].compactMap { $0 }
        return [
            RFC3339.text(self.value.receivedAt), self.value.eventID, self.value.source ?? "", self.value.userID ?? "",
            self.value.outcome + asks, why.joined(separator: " "), self.value.deliveryID,
        ]
    }

    package var summary: String {
        let names = zip(Self.heading, self.cells).filter { !$0.1.isEmpty }
        return names.map { name, cell in
            "\(name.lowercased().padding(toLength: 10, withPad: " ", startingAt: 0))\(VisibleText.escaped(cell))"
        }.joined(separator: "\n")
    }
}

package struct RefusalLine: AskedLine {
    package let value: RefusalEntry
    package init(_ value: RefusalEntry) { self.value = value }

    package static let heading = ["LAST", "SOURCE", "OUTCOME", "REASON", "LAST HOUR", "IN 14 DAYS", "WHAT IT MEANS"]
    package static let flexible = [6, 3, 1]
    package static let spare = [2, 4, 0]
    package var cells: [String] {
        let skew = self.value.skewMilliseconds.map { " (clocks differ by \($0) ms)" } ?? ""
        return [
            RFC3339.text(self.value.lastAt), self.value.source, self.value.outcome, self.value.reason,
            "\(self.value.lastHour)", "\(self.value.total)", self.value.text + skew,
        ]
    }
}

/// The form of one request that was not stored.
package struct RefusalSampleLine: AskedLine {
    package let value: RefusalSample
    private let entry: RefusalEntry

    private init(_ value: RefusalSample, of entry: RefusalEntry) {
        self.value = value
        self.entry = entry
    }

    package static func lines(of entry: RefusalEntry) -> [RefusalSampleLine] {
        entry.samples.map { RefusalSampleLine($0, of: entry) }
    }

    package static let heading = TallySampleLine.heading
    package static let flexible = TallySampleLine.flexible
    package static let spare = TallySampleLine.spare
    package var cells: [String] {
        [
            RFC3339.text(self.value.at), self.entry.source, self.entry.reason,
            self.value.bodyBytes.map { "\($0)" } ?? "",
            self.value.headers.map { "\($0.name) \($0.bytes)" }.joined(separator: ", "),
        ]
    }
}

package struct JobLine: AskedLine {
    package let value: WaitingJob
    package init(_ value: WaitingJob) { self.value = value }

    package static let heading = ["USER", "STATE", "SINCE", "NOT BEFORE", "TRIES", "WHY"]
    package static let flexible = [5]
    package static let spare = [3, 2]
    package var cells: [String] {
        [
            self.value.userID, self.value.state, RFC3339.text(self.value.enqueuedAt),
            self.value.runAt.map(RFC3339.text) ?? "", "\(self.value.attempts)", self.value.why?.text ?? "",
        ]
    }
}

package struct FailureLine: AskedLine {
    package let value: FailureGroup
    package init(_ value: FailureGroup) { self.value = value }

    package static let heading = ["USERS", "REASON", "SINCE", "NEXT", "THE PROVIDER SAYS", "WHAT TO DO"]
    package static let flexible = [5, 0, 4]
    package static let spare = [2, 3]
    package var cells: [String] {
        [
            "\(self.value.users): \(self.value.sample.prefix(3).joined(separator: ", "))",
            [self.value.reason, self.value.code].compactMap(\.self).joined(separator: " "),
            RFC3339.text(self.value.since),
            self.value.nextAt.map(RFC3339.text) ?? "",
            [self.value.code, self.value.providerWords].compactMap(\.self).joined(separator: " "), self.value.action,
        ]
    }
}

package struct TagLine: AskedLine {
    package let value: TagEntry
    package init(_ value: TagEntry) { self.value = value }

    package static let heading = ["TAG", "HELD", "ROOM", "OPEN", "LISTED", "NEXT VISIT", "OTHERS", "FAILURES"]
    package static let spare = [7, 6, 4]
    package var cells: [String] {
        [
            self.value.tag, "\(self.value.held)", self.value.room.map { "\($0)" } ?? "", self.value.isOpen ? "yes" : "",
            self.value.listedAt.map(RFC3339.text) ?? "never", self.value.nextVisitAt.map(RFC3339.text) ?? "now",
            "\(self.value.others)", "\(self.value.failures)",
        ]
    }
}

package struct FindingLine: AskedLine {
    package let value: FindingEntry
    package init(_ value: FindingEntry) { self.value = value }

    package static let heading = ["AT", "KIND", "USER", "GENERATION", "TAG", "CREDENTIAL"]
    package static let flexible = [2]
    package static let spare = [5, 4, 3]
    package var cells: [String] {
        [
            RFC3339.text(self.value.at), self.value.kind, self.value.userID ?? "",
            self.value.generation.map { "\($0)" } ?? "", self.value.tag ?? "", self.value.credentialID,
        ]
    }
}

package struct FoundLine: AskedLine {
    package let value: Found
    package init(_ value: Found) { self.value = value }

    package static let heading = ["KIND", "ID", "HOW", "USER"]
    package static let flexible = [3]
    package static let spare = [2]
    package var cells: [String] { [self.value.kind, self.value.id, self.value.text, self.value.userID ?? ""] }
}

package struct TenantSeenLine: AskedLine {
    package let value: TenantEntry
    package init(_ value: TenantEntry) { self.value = value }

    package static let heading = ["TENANT", "CONNECTION", "STATUS", "CREATED"]
    package static let spare = [3]
    package var cells: [String] {
        [self.value.tenant, self.value.connectionID, self.value.status, RFC3339.text(self.value.createdAt)]
    }
}
