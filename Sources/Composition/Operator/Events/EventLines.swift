// SPDX-License-Identifier: Apache-2.0
// The lines that `dialtone event list` and `event show` print to an operator, who sees all tenants.

import Foundation
import Intake
package import Model

/// The API's members, and what only an operator sees: the tenants, and the organisation.
package struct EventLine: Line {
    package let event_id: String
    package let received_at: String
    @OrNull package private(set) var occurred_at: String?
    @OrNull package private(set) var source: String?
    @OrNull package private(set) var tenant: String?
    @OrNull package private(set) var user_id: String?
    @OrNull package private(set) var organization: String?
    package let delivery_id: String
    package let item: Int32
    @OrNull package private(set) var wanted: String?
    package let outcome: String
    @OrNull package private(set) var detail: String?
    /// Why it is in quarantine, and the place of what could not be used.
    @OrNull package private(set) var reason: String?
    @OrNull package private(set) var pointer: String?
    /// Tenants that it does not name and in which it did something, four at most.
    package let tenants: [String]

    package static let heading = [
        "RECEIVED", "EVENT", "SOURCE", "TENANT", "ORGANIZATION", "USER", "OUTCOME", "WHY", "DELIVERY",
    ]
    package static let flexible = [7, 5, 6]
    package static let spare = [8, 0, 2, 3, 4]
    package var cells: [String] {
        let why = [self.reason ?? self.because, self.pointer].compactMap(\.self).joined(separator: " ")
        let asks = self.outcome == "quarantined" ? "" : self.wanted.map { " (\($0))" } ?? ""
        return [
            self.received_at, self.event_id, self.source ?? "(deleted)", self.tenantWords, self.organization ?? "",
            self.user_id ?? "", self.outcome + asks, why, self.delivery_id,
        ]
    }

    /// Who is deleted or suspended is so in all tenants where the source has told of a membership.
    private var tenantWords: String {
        if let tenant = self.tenant { return tenant }
        if !self.tenants.isEmpty {
            return self.tenants.prefix(3).joined(separator: ", ") + (self.tenants.count > 3 ? ", …" : "")
        }
        return self.wanted == "gone" && self.organization == nil ? "(all)" : ""
    }

    /// The detail is as of when the event came.
    fileprivate var because: String? { self.detail == "waits" ? "waited" : self.detail }

    init(_ entry: EventEntry) {
        self.event_id = entry.id.description
        self.received_at = RFC3339.text(entry.receivedAt)
        self.delivery_id = entry.deliveryID
        self.item = entry.item
        self.outcome = entry.outcome.rawValue
        self.occurred_at = entry.occurredAt.map(RFC3339.text)
        self.source = entry.source
        self.tenant = entry.tenant?.rawValue
        self.user_id = entry.user
        self.organization = entry.organization
        self.wanted = entry.wanted?.rawValue
        self.detail = entry.detail
        self.reason = entry.reason
        self.pointer = entry.place
        self.tenants = entry.tenants.map(\.rawValue)
    }
}

/// A user, and what is wanted of the user by an event.
package struct EventUserLine: Encodable, Sendable {
    package let tenant: String
    package let user_id: String
    package let wanted: String

    init(_ user: UserKey, _ wanted: Wanted) {
        self.tenant = user.tenant.rawValue
        self.user_id = user.user.rawValue
        self.wanted = wanted.rawValue
    }

    var words: String { "\(VisibleText.escaped(self.user_id)) of \(self.tenant): \(self.wanted)" }
}

/// What is known of an event in quarantine.
package struct QuarantineLine: Encodable, Sendable {
    package let then: ReplayThenLine
    package let arrived_at: String
    package let size: Int32
    package let sha256: String
    package let has_body: Bool
    /// When the body goes; null: there is none.
    @OrNull package private(set) var kept_until: String?
    package let can_be_replayed: Bool
    /// Why it cannot be replayed; null: it can.
    @OrNull package private(set) var why_not: String?
    @OrNull package private(set) var settled_by: String?
    @OrNull package private(set) var settled_at: String?

    init(_ detail: QuarantineDetail, keptFor: TimeInterval) {
        self.then = ReplayThenLine(detail.read)
        self.arrived_at = RFC3339.text(detail.arrivedAt)
        self.size = detail.size
        self.sha256 = detail.sha256
        self.has_body = detail.hasBody
        self.can_be_replayed = detail.hindrance == nil
        self.kept_until = detail.hasBody ? RFC3339.text(detail.arrivedAt + keptFor) : nil
        self.why_not = detail.hindrance
        self.settled_by = detail.settledBy
        self.settled_at = detail.settledAt.map(RFC3339.text)
    }
}

/// All that is known of one event: the members of its line, and more. It shows no body and no secret.
package struct EventDetailLine: Encodable, Sendable {
    package let event: EventLine
    package let source_id: String
    @OrNull package private(set) var config_version: Int32?
    /// The secret whose proof held, by its id.
    @OrNull package private(set) var secret_id: String?
    /// What it did in tenants that it does not name.
    package let effects: [EventUserLine]
    /// The users whose present wish it is behind.
    package let cause_of: [EventUserLine]
    @OrNull package private(set) var quarantine: QuarantineLine?

    init(_ detail: EventDetail, keptFor: TimeInterval) {
        self.event = EventLine(detail.entry)
        self.source_id = detail.sourceID.rawValue.lowercase
        self.effects = detail.effects.map { EventUserLine($0.user, $0.wanted) }
        self.cause_of = detail.causes.map { EventUserLine($0.user, $0.wanted) }
        self.config_version = detail.version
        self.secret_id = detail.secret?.lowercase
        self.quarantine = detail.quarantine.map { QuarantineLine($0, keptFor: keptFor) }
    }

    private enum CodingKeys: String, CodingKey {
        case source_id, config_version, secret_id, effects, cause_of, quarantine
    }

    package func encode(to encoder: any Encoder) throws {
        try self.event.encode(to: encoder)
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(self.source_id, forKey: .source_id)
        try members.encode(self._config_version, forKey: .config_version)
        try members.encode(self._secret_id, forKey: .secret_id)
        try members.encode(self.effects, forKey: .effects)
        try members.encode(self.cause_of, forKey: .cause_of)
        try members.encode(self._quarantine, forKey: .quarantine)
    }

    /// The sender has chosen some of the words. None of them can begin a line of its own.
    package var summary: String {
        let event = self.event
        var rows: [(String, String?)] = [
            ("received", event.received_at), ("source", event.source ?? "(deleted) \(self.source_id)"),
            ("delivery", "\(event.delivery_id), item \(event.item)"), ("tenant", event.tenant),
            ("user", event.user_id), ("organisation", event.organization), ("asks for", event.wanted),
            (event.outcome == "quarantined" ? "counts as of" : "sender's time", event.occurred_at),
            ("mapping", self.config_version.map { "version \($0)" }),
            ("secret", self.secret_id), ("outcome", event.outcome), ("because", event.because),
        ]
        rows += self.effects.map { ("did", $0.words) } + self.cause_of.map { ("stands behind", $0.words) }
        rows += self.quarantine?.rows(of: event.event_id) ?? []
        let lines = rows.compactMap { name, value in
            value.map { "  \(name.padding(toLength: 15, withPad: " ", startingAt: 0))\(VisibleText.escaped($0))" }
        }
        return (["event \(event.event_id)"] + lines).joined(separator: "\n")
    }
}

extension QuarantineLine {
    fileprivate func rows(of event: String) -> [(String, String?)] {
        let then = ReadingWords.reason(self.then.reason, at: self.then.pointer)
        let why = self.settled_by == nil ? then : "no more; it was there for \(then)"
        let picks = ReadingWords.picks(self.then.picks)
        return [
            ("quarantine", why), ("read by", "mapping version \(self.then.config_version)"),
            ("body", "\(self.size) bytes, SHA-256 \(self.sha256)"),
            ("kept", self.kept_until.map { "until \($0)" } ?? "no"),
            (
                "replay",
                self.why_not.map { "no: \($0)" }
                    ?? "dialtone event replay \(event) (--dry-run shows what it would do)"
            ),
            ("settled", self.settled_at.map { "\($0) by \(self.settled_by ?? "")" }),
        ] + picks.map { ("picked", $0) }
    }
}
