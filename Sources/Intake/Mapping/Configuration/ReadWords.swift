// SPDX-License-Identifier: Apache-2.0
// Reads what one kind of word says: of whom, of which organisation, and since when.

import Model

struct ReadWords {
    static let keys = [
        "each", "person", "membership", "weak", "whole", "user_id", "organization", "time", "order", "display_name",
        "email",
    ]

    /// The source's section: what a word does not say itself, it has from there.
    let defaults: Section
    let tenants: TenantChoice

    /// `when` is asked for each element.
    func part(_ section: Section, when: JSONValue?, _ outer: inout Scopes) throws(InvalidValue) -> WordPart {
        let person = try section.choice("person", of: Word.OfPerson.self)
        let membership = try section.choice("membership", of: Word.OfMembership.self)
        guard person != nil || membership != nil else {
            throw InvalidValue(section.place, "must say something of the person or of a membership")
        }
        var scopes = outer
        let each = try self.each(section, &scopes)
        scopes.element = each?.elements
        let conditions = try when.map { (json) throws(InvalidValue) in
            try ReadCondition.all(json, at: section.place(of: "when"), &scopes)
        }
        var part = WordPart(
            each: each, when: conditions?.filter { !$0.isOfElement } ?? [],
            whenElement: conditions?.filter(\.isOfElement) ?? [],
            person: person, membership: membership, isWeak: try section.flag("weak") ?? false,
            isWhole: try section.flag("whole") ?? false,
            user: try self.user(section, &scopes),
            organization: membership == nil ? nil : try self.organization(section, &scopes),
            times: try self.times(section, &scopes), countsArrival: try self.order(section) == .arrival,
            displayName: try self.value("display_name", section, &scopes),
            email: try self.value("email", section, &scopes))
        // Only now are all places known that are read in an element.
        if let elements = scopes.element { part.each?.elements = elements }
        scopes.element = nil
        outer = scopes
        return part
    }

    private func each(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> WordPart.Each? {
        guard let json = section["each"] else { return nil }
        let place = section.place(of: "each")
        if case .string(let text) = json {
            return WordPart.Each(
                list: try Self.list(text, at: place, &scopes), elements: JSONPlaces(), isSingleAllowed: false,
                isOnceIfEmpty: false)
        }
        let each = try Section(json, at: place, keys: ["in", "single", "if_empty"])
        guard let list = try each.text("in") else { throw each.missing("in") }
        return WordPart.Each(
            list: try Self.list(list, at: each.place(of: "in"), &scopes), elements: JSONPlaces(),
            isSingleAllowed: try each.flag("single") ?? false,
            isOnceIfEmpty: try each.choice("if_empty", of: IfEmpty.self) == .once)
    }

    /// A list of the whole request would be walked again for each of its events.
    private static func list(_ text: String, at place: String, _ scopes: inout Scopes) throws(InvalidValue) -> Place {
        let list = try scopes.place(text, at: place)
        guard list.scope == .event else { throw InvalidValue(place, "must be a list of the event") }
        return list
    }

    private enum IfEmpty: String, CaseIterable { case once, nothing }
    private enum Order: String, CaseIterable { case sender, arrival }

    private func order(_ section: Section) throws(InvalidValue) -> Order {
        let own = try section.choice("order", of: Order.self)
        let inherited = try self.defaults.choice("order", of: Order.self)
        return own ?? inherited ?? .sender
    }

    private func user(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Value {
        guard let user = try self.value("user_id", section, &scopes) else {
            throw InvalidValue(section.place, "names nobody: neither it nor the source has \"user_id\"")
        }
        return user
    }

    private func organization(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Value? {
        let organization = try self.value("organization", section, &scopes)
        if case .fixed = self.tenants { return nil }
        guard organization != nil else {
            throw InvalidValue(section.place, "says a membership: neither it nor the source has \"organization\"")
        }
        return organization
    }

    /// The word's own value, or the source's. A null takes the source's away.
    private func value(_ key: String, _ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Value? {
        let owner = section[key] == nil ? self.defaults : section
        guard let json = owner[key], json != .null else { return nil }
        return try ReadValue.value(json, at: owner.place(of: key), &scopes)
    }

    private func times(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> [TimeValue] {
        let owner = section["time"] == nil ? self.defaults : section
        guard let json = owner["time"], json != .null else { return [] }
        return try Self.times(json, at: owner.place(of: "time"), &scopes)
    }

    private static func times(
        _ json: JSONValue, at place: String, _ scopes: inout Scopes
    ) throws(InvalidValue) -> [TimeValue] {
        guard case .object(let members) = json else {
            let value = try ReadValue.value(json, at: place, &scopes, kinds: .textOrNumber)
            return [TimeValue(value: value, form: .rfc3339)]
        }
        if let first = json["first"] {
            _ = try Section(json, at: place, keys: ["first"])
            var times: [TimeValue] = []
            for (json, place) in try Section.list(first, at: place + "/first") {
                times += try Self.times(json, at: place, &scopes)
            }
            return times
        }
        let section = try Section(json, at: place, keys: ["at", "header", "find", "as", "holds", "take", "percent"])
        let form = try section.choice("as", of: TimeValue.Form.self) ?? .rfc3339
        let value = try ReadValue.value(
            .object(members.filter { $0.key != "as" }), at: place, &scopes, kinds: .textOrNumber)
        return [TimeValue(value: value, form: form)]
    }
}

// The words as the grammar writes them.

extension Word.OfPerson: CaseIterable {
    package static let allCases: [Word.OfPerson] = [.live, .suspended, .deleted]
}

extension Word.OfMembership: CaseIterable {
    package static let allCases: [Word.OfMembership] = [.live, .gone, .invited]
}
