// SPDX-License-Identifier: Apache-2.0
// Reads the rules: which events ask something of us, and what their words say.

import Model

/// Reads the rules of one plan. `scopes` collects the places that they read.
struct ReadRules {
    /// What a rule that says nothing itself has from the source.
    let defaults: Section
    let type: Value?
    /// The options that the source has switched on.
    let options: Set<String>
    let tenants: TenantChoice
    /// The options that rules speak of, whether they are on or off.
    private(set) var known: Set<String> = []

    init(defaults: Section, type: Value?, options: Set<String>, tenants: TenantChoice) {
        self.defaults = defaults
        self.type = type
        self.options = options
        self.tenants = tenants
    }

    private static let keys = ["on", "when", "option", "ignore", "quarantine", "words", "delivery_id", "answer"]

    mutating func rules(_ key: String, _ scopes: inout Scopes) throws(InvalidValue) -> [Rule] {
        var rules: [Rule] = []
        for (json, place) in try self.defaults.list(key) ?? [] {
            let section = try Section(json, at: place, keys: Self.keys + ReadWords.keys)
            let rule = try self.rule(section, &scopes)
            // A rule that is off is read all the same, so that its faults show.
            guard let option = try section.text("option") else {
                rules.append(rule)
                continue
            }
            self.known.insert(option)
            if self.options.contains(option) { rules.append(rule) }
        }
        return rules
    }

    private func rule(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Rule {
        Rule(
            place: section.place, when: try self.conditions(section, &scopes),
            meaning: try self.meaning(section, &scopes),
            deliveryID: try section["delivery_id"].map { (json) throws(InvalidValue) in
                try ReadValue.value(json, at: section.place(of: "delivery_id"), &scopes)
            }, answer: try ReadAnswers.answer("answer", of: section))
    }

    /// `on` is short for a condition on the event's type.
    private func conditions(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> [Condition] {
        var conditions: [Condition] = []
        if let on = section["on"] {
            let place = section.place(of: "on")
            let names: [String]
            if case .string(let name) = on { names = [name] } else { names = try section.texts("on") ?? [] }
            let test = Condition.Test.oneOf(names.map(JSONScalar.text))
            switch self.type {
            case .place(let type): conditions.append(.place(type, test))
            case .header(let type): conditions.append(.header(type.name, test))
            default: throw InvalidValue(place, "needs a \"type\" that stands at one place or in one header")
            }
        }
        if let when = section["when"] {
            conditions += try ReadCondition.all(when, at: section.place(of: "when"), &scopes)
        }
        return conditions
    }

    private func meaning(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Rule.Meaning {
        let words = ReadWords(defaults: self.defaults, tenants: self.tenants)
        let inline = ReadWords.keys.first { section[$0] != nil }
        let forms = ["ignore", "quarantine", "words"].filter { section[$0] != nil } + (inline.map { [$0] } ?? [])
        guard forms.count == 1, let form = forms.first else {
            throw InvalidValue(
                section.place,
                "must say one thing: ignore, quarantine, words, or person and membership; it has "
                    + (forms.isEmpty ? "none of them" : forms.joined(separator: " and ")))
        }
        switch form {
        case "ignore": return .ignore(try section.choice("ignore") ?? .unrelated)
        case "quarantine":
            guard try section.flag("quarantine") == true else {
                throw InvalidValue(section.place(of: "quarantine"), "must be true")
            }
            return .quarantine
        case "words":
            var parts: [WordPart] = []
            for (json, place) in try section.list("words") ?? [] {
                let part = try Section(json, at: place, keys: ReadWords.keys + ["when"])
                parts.append(try words.part(part, when: part["when"], &scopes))
            }
            guard !parts.isEmpty else { throw InvalidValue(section.place(of: "words"), "must not be empty") }
            return .words(parts)
        default: return .words([try words.part(section, when: nil, &scopes)])
        }
    }

    // MARK: - What is ignored before any rule

    /// `ignore_when`: each entry has a reason, and an option that takes such events after all.
    mutating func ignored(_ scopes: inout Scopes) throws(InvalidValue) -> [Rule] {
        var rules: [Rule] = []
        for (json, place) in try self.defaults.list("ignore_when") ?? [] {
            let section = try Section(json, at: place, keys: ["on", "when", "reason", "unless_option", "answer"])
            guard let reason = try section.choice("reason", of: IgnoreReason.self) else {
                throw section.missing("reason")
            }
            let rule = Rule(
                place: place, when: try self.conditions(section, &scopes), meaning: .ignore(reason), deliveryID: nil,
                answer: try ReadAnswers.answer("answer", of: section))
            let option = try section.text("unless_option")
            if let option { self.known.insert(option) }
            if option.map(self.options.contains) != true { rules.append(rule) }
        }
        return rules
    }

    func ignoredUsers() throws(InvalidValue) -> [Plan.IgnoredUser] {
        var users: [Plan.IgnoredUser] = []
        for (json, place) in try self.defaults.list("ignore_users") ?? [] {
            if case .string(let id) = json {
                users.append(.exactly(id))
            } else {
                let section = try Section(json, at: place, keys: ["prefix"])
                guard let prefix = try section.text("prefix") else { throw section.missing("prefix") }
                users.append(.beginning(prefix))
            }
        }
        return users
    }
}
