// SPDX-License-Identifier: Apache-2.0
// The query of a list of users: which of them, in which order, how many, and from where on.

import Directory
import Foundation
import Model

enum UserQuery {
    /// The parameters that narrow a list.
    static let filters = [
        "status", "received_after", "received_before", "tag", "source", "user_id", "user_id_prefix", "email",
        "sip_username",
    ]

    static func filter(_ query: QueryParameters) throws(Problem) -> UserFilter {
        var filter = UserFilter()
        filter.status = try query.set("status", of: UserStatus.self)
        filter.receivedAfter = try query.time("received_after")
        filter.receivedBefore = try query.time("received_before")
        filter.tag = try query.text("tag")
        filter.source = try query.text("source")
        filter.id = try query.id("user_id")
        filter.prefix = try query.text("user_id_prefix")
        filter.email = try query.text("email")
        filter.sipUsername = try query.text("sip_username")
        return filter
    }

    static func list(_ query: QueryParameters, of tenant: TenantID) throws(Problem) -> UserList {
        let order = try query.word("order", of: UserOrder.self) ?? .id
        return UserList(of: tenant, try Self.filter(query), order: order)
    }
}

enum EventQuery {
    static let filters = ["outcome", "user_id", "source", "received_after", "received_before"]

    static func filter(_ query: QueryParameters) throws(Problem) -> EventFilter {
        var filter = EventFilter()
        filter.outcome = try query.set("outcome", of: ToldOutcome.self)
        filter.user = try query.id("user_id")
        filter.source = try query.text("source")
        filter.receivedAfter = try query.time("received_after")
        filter.receivedBefore = try query.time("received_before")
        return filter
    }
}

// MARK: Values

extension QueryParameters {
    /// The most entries that a page may have.
    static let mostRows = 200

    /// Returns how many entries a page has, 50 by default.
    func limit() throws(Problem) -> Int { try self.number("limit", in: 1...Self.mostRows) ?? 50 }

    func number(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), range.contains(number), text == "\(number)" else {
            throw Problem(
                400, "invalid_value", "\(name) must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    /// A word of a closed set.
    func word<Word>(_ name: String, of type: Word.Type) throws(Problem) -> Word?
    where Word: RawRepresentable & CaseIterable, Word.RawValue == String {
        guard let text = self[name] else { return nil }
        guard let word = Word(rawValue: text) else { throw Self.noWord(name, type) }
        return word
    }

    /// Words of a closed set with commas between them.
    func set<Word>(_ name: String, of type: Word.Type) throws(Problem) -> Set<Word>
    where Word: RawRepresentable & CaseIterable & Hashable, Word.RawValue == String {
        guard let text = self[name] else { return [] }
        var words: Set<Word> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let word = Word(rawValue: String(part)) else { throw Self.noWord(name, type) }
            words.insert(word)
        }
        return words
    }

    func time(_ name: String) throws(Problem) -> Date? {
        guard let text = self[name] else { return nil }
        guard let date = RFC3339.date(text), (-62_135_596_800...253_402_300_799).contains(date.timeIntervalSince1970)
        else {
            throw Problem(400, "invalid_value", "\(name) must be a time such as 2026-01-31T08:00:00Z")
        }
        return date
    }

    /// A text of one line.
    func text(_ name: String) throws(Problem) -> String? {
        guard let text = self[name] else { return nil }
        guard (1...255).contains(text.utf8.count), !text.utf8.contains(0) else {
            throw Problem(400, "invalid_value", "\(name) must be 1 to 255 bytes of UTF-8 without NUL")
        }
        return text
    }

    func id(_ name: String) throws(Problem) -> UserID? {
        guard let text = try self.text(name) else { return nil }
        return UserID(rawValue: text)
    }

    private static func noWord<Word>(_ name: String, _ type: Word.Type) -> Problem
    where Word: RawRepresentable & CaseIterable, Word.RawValue == String {
        let all = Word.allCases.map(\.rawValue).joined(separator: ", ")
        return Problem(400, "invalid_value", "\(name) must be one of: \(all)")
    }
}
