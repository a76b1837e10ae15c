// SPDX-License-Identifier: Apache-2.0
// Compiles a configuration, or one of its variants, into the plan that requests are read by.

import Model

enum ReadPlan {
    static let keys = [
        "grammar", "name", "about", "preset", "options", "proofs", "tenant", "body", "split", "type", "delivery_id",
        "user_id", "organization", "organization_absent", "time", "order", "display_name", "email", "actor",
        "ignore_when", "ignore_users", "extra_rules", "rules", "variants", "answers", "handshakes", "secret_members",
        "quarantine", "setup",
    ]

    /// Returns the plan, and the options that its rules speak of.
    static func plan(
        _ section: Section, tenants: TenantChoice, options: Set<String>
    ) throws(InvalidValue) -> (plan: Plan, known: Set<String>) {
        var plan = Plan(tenants: tenants)
        plan.body = try Self.body(section)
        var scopes = Scopes(
            isSplit: section["split"].map { $0 != .null } ?? false,
            secretNames: Set(try section.texts("secret_members") ?? []))
        plan.split = try Self.split(section, &scopes)
        plan.type = try Self.value("type", section, &scopes)
        plan.deliveryID = try Self.value("delivery_id", section, &scopes)
        plan.actor = try Self.value("actor", section, &scopes)
        plan.takesPersonAlone = try section.choice("organization_absent", of: Absent.self) == .personAlone
        var reader = ReadRules(defaults: section, type: plan.type, options: options, tenants: tenants)
        plan.rules = try reader.ignored(&scopes)
        plan.rules += try reader.rules("extra_rules", &scopes)
        plan.rules += try reader.rules("rules", &scopes)
        plan.ignoredUsers = try reader.ignoredUsers()
        plan.requestPlaces = scopes.request
        plan.eventPlaces = scopes.event
        return (plan, reader.known)
    }

    private enum Absent: String, CaseIterable {
        case unusable
        case personAlone = "person_alone"
    }

    private static func value(
        _ key: String, _ section: Section, _ scopes: inout Scopes
    ) throws(InvalidValue) -> Value? {
        guard let json = section[key], json != .null else { return nil }
        return try ReadValue.value(json, at: section.place(of: key), &scopes)
    }

    /// `"json"`, `"optional-json"` or `{"token": "/data/jwt"}`.
    private static func body(_ section: Section) throws(InvalidValue) -> Plan.BodyForm {
        let place = section.place(of: "body")
        switch section["body"] {
        case nil, .string("json"): return .json
        case .string("optional-json"): return .optionalJSON
        case .object?:
            let token = try Section(section["body"] ?? .null, at: place, keys: ["token"])
            return .token(try Scopes.pointer(try token.text("token") ?? "", at: token.place(of: "token")))
        default: throw InvalidValue(place, "must be \"json\", \"optional-json\" or {\"token\": a pointer}")
        }
    }

    /// `"/data/events"`, or an object that allows more forms.
    private static func split(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Plan.Split? {
        guard let json = section["split"], json != .null else { return nil }
        let place = section.place(of: "split")
        if case .string(let text) = json {
            let pointer = try Scopes.pointer(text, at: place)
            return Plan.Split(
                pointer: pointer, number: scopes.request.add(pointer), isSingleAllowed: false, isLinesAllowed: false)
        }
        let split = try Section(json, at: place, keys: ["at", "single", "lines"])
        let pointer = try Scopes.pointer(try split.text("at") ?? "", at: split.place(of: "at"))
        let isLinesAllowed = try split.flag("lines") ?? false
        guard !isLinesAllowed || pointer.steps.isEmpty else {
            throw InvalidValue(split.place(of: "lines"), "goes only with the whole body as the list")
        }
        return Plan.Split(
            pointer: pointer, number: scopes.request.add(pointer), isSingleAllowed: try split.flag("single") ?? false,
            isLinesAllowed: isLinesAllowed)
    }

    /// `"table"`, `{"fixed": "acme"}` or `{"allow": ["acme"]}`.
    static func tenants(_ section: Section) throws(InvalidValue) -> TenantChoice? {
        guard let json = section["tenant"] else { return nil }
        let place = section.place(of: "tenant")
        if case .string("table") = json { return .table }
        let tenant = try Section(json, at: place, keys: ["fixed", "allow"])
        switch (try tenant.text("fixed"), try tenant.texts("allow")) {
        case (let name?, nil): return .fixed(try Self.tenant(name, at: tenant.place(of: "fixed")))
        case (nil, let names?):
            var allowed: Set<TenantID> = []
            for name in names { allowed.insert(try Self.tenant(name, at: tenant.place(of: "allow"))) }
            return .allowed(allowed)
        default: throw InvalidValue(place, "must be \"table\", or have exactly one of fixed, allow")
        }
    }

    private static func tenant(_ name: String, at place: String) throws(InvalidValue) -> TenantID {
        do { return try TenantID(name) } catch { throw InvalidValue(place, error.reason) }
    }
}
