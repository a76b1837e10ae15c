// SPDX-License-Identifier: Apache-2.0
// What an item of a reading comes to, compared with what a fixture says.

import Foundation
import Model

@testable import Intake

/// What one item of a reading comes to, in the words of the fixtures.
struct ItemOutcome {
    let deliveryID: String
    let item: MappedItem
    let map: [String: String]

    var action: String {
        guard case .word(let word) = self.item else { return "ignore" }
        if word.isTaking { return "revoke" }
        if self.isUnmapped(word) { return "ignore" }
        let isLive = word.ofMembership == .live || (word.ofPerson == .live && word.ofMembership == nil)
        return isLive && self.tenant(of: word) != nil ? "provision" : "wait"
    }

    /// An organisation that nobody has mapped: the ledger keeps the word for later.
    private func isUnmapped(_ word: Word) -> Bool {
        guard let organization = word.organization, word.tenant == nil else { return false }
        return self.map[organization] == nil
    }

    private func tenant(of word: Word) -> String? {
        word.tenant?.rawValue ?? word.organization.flatMap { self.map[$0] }
    }

    /// Nil when the item comes to what is expected; else what differs.
    func difference(from expected: JSONValue) -> String? {
        var differences: [String] = []
        func compare(_ key: String, _ found: String?) {
            let wanted = expected[key]?.string
            if found != wanted { differences.append("\(key): \(found ?? "nil"), not \(wanted ?? "nil")") }
        }
        compare("action", self.action)
        let word = self.action == "ignore" ? nil : self.word
        compare("user_id", word?.person.rawValue)
        compare("tenant", self.action == "wait" ? nil : word.flatMap(self.tenant))
        if !self.hasTime(expected["occurred_at"]?.string, word) {
            differences.append("occurred_at: \(word.map { "\($0.moment)" } ?? "nil")")
        }
        if !self.hasID(expected["delivery_id"]) { differences.append("delivery_id: \(self.deliveryID)") }
        if self.isQuarantined != (expected["quarantine"] == .bool(true)) && expected["reason"] == nil {
            differences.append("quarantine: \(self.item)")
        }
        if let reason = expected["reason"]?.string, reason.hasPrefix("/"), case .unusable(let unusable) = self.item,
            !reason.hasPrefix(unusable.place + " ")
        {
            differences.append("reason: \(unusable.place) \(unusable.reason.text), not \(reason)")
        }
        if (expected["via"] == .string("update")) != (word?.isWeak ?? false) { differences.append("via") }
        return differences.isEmpty ? nil : differences.joined(separator: "; ")
    }

    private var word: Word? { if case .word(let word) = self.item { word } else { nil } }

    private var isQuarantined: Bool {
        switch self.item {
        case .unusable: true
        case .ignored: false
        case .word(let word): !word.isTaking && self.isUnmapped(word)
        }
    }

    private func hasTime(_ expected: String?, _ word: Word?) -> Bool {
        guard case .at(let date)? = word?.moment else { return expected == nil }
        guard let wanted = expected.flatMap({ RFC3339.date($0) }) else { return false }
        return abs(date.timeIntervalSince(wanted)) < 1e-6
    }

    /// A list is a composite. In its last part the arrival may stand for null, when something is taken away.
    private func hasID(_ expected: JSONValue?) -> Bool {
        guard case .array(let parts)? = expected else {
            return expected?.string.map { $0 == self.deliveryID } ?? self.deliveryID.hasPrefix("sha256:")
        }
        let arrival = JSONValue.string(RFC3339.text(MappedCase.clock))
        let found = try? JSONValue(parsing: Array(self.deliveryID.utf8))
        return found == .array(parts) || found == .array(parts.dropLast() + [arrival])
    }
}
