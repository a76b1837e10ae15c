// SPDX-License-Identifier: Apache-2.0
// A source's configuration, with what it has from its preset.

package import Model

/// The text of a configuration, as it is stored: JSON in the grammar of `docs/sources/mapping.md`.
package struct SourceConfiguration: Sendable {
    /// The version of the grammar that this program reads.
    package static let grammar = 1
    /// Bytes of a configuration at most.
    package static let maximumBytes = 64 * 1024

    /// The preset of a source that has none: its configuration says everything.
    package static let custom = "custom"

    /// With the preset's members where the source has none of its own.
    let section: Section
    package let preset: String?
    /// How the source's own text comes to a tenant; nil when it leaves that to others.
    let ownTenants: TenantChoice?
    /// What an operator is told of the secret; nil: nothing is said, or the preset's words are about other proofs.
    let setup: SourceSetup?

    /// Throws an error that names the place of what is wrong.
    package init(_ text: [UInt8]) throws(InvalidValue) {
        let own = try Self.section(of: text)
        try self.init(own, preset: try own.text("preset"))
    }

    /// Reads a source's own text over the preset that the source was made with. Without a text the preset says
    /// everything. The text need not name the preset again.
    package init(_ text: [UInt8]?, preset: String) throws(InvalidValue) {
        let own = try Self.section(of: text ?? Array("{\"grammar\":\(Self.grammar)}".utf8))
        let base = preset == Self.custom ? nil : preset
        if let written = try own.text("preset"), written != base {
            throw InvalidValue("/preset", "must be the source's own, \"\(preset)\", or be left out")
        }
        try self.init(own, preset: base)
    }

    private init(_ own: Section, preset: String?) throws(InvalidValue) {
        self.preset = preset
        self.ownTenants = try ReadPlan.tenants(own)
        guard let preset else {
            self.section = own
            self.setup = try SourceSetup(own)
            return
        }
        guard let base = Presets.text(of: preset) else {
            let nearest = NearestName.of(preset, among: Presets.names) ?? ""
            throw InvalidValue("/preset", "is not known; the nearest known preset is \"\(nearest)\"")
        }
        self.section = Section(own, over: try Self.section(of: base))
        let isOfOtherProofs = own["proofs"] != nil && own["setup"] == nil
        self.setup = isOfOtherProofs ? nil : try SourceSetup(self.section)
    }

    private static func section(of text: [UInt8]) throws(InvalidValue) -> Section {
        guard text.count <= Self.maximumBytes else {
            throw InvalidValue("the configuration", "may have at most \(Self.maximumBytes) bytes")
        }
        let json: JSONValue
        do { json = try JSONValue(parsing: text) } catch {
            throw InvalidValue("the configuration", "\(error.reason) (at byte \(error.offset))")
        }
        let section = try Section(json, at: "", keys: ReadPlan.keys)
        if case .array? = section["about"] { _ = try section.texts("about") } else { _ = try section.text("about") }
        guard let version = section["grammar"] else { throw section.missing("grammar") }
        guard version == .number("\(Self.grammar)") else {
            throw InvalidValue("/grammar", "must be \(Self.grammar): this program reads no other version")
        }
        return section
    }

    /// The forms that a request may have, each with the conditions on its headers. The last one has none.
    func plans(
        tenants: TenantChoice, options: Set<String>
    ) throws(InvalidValue) -> [(when: [Condition], plan: Plan)] {
        var plans: [(when: [Condition], plan: Plan)] = []
        var known: Set<String> = []
        for (json, place) in try self.section.list("variants") ?? [] {
            let variant = try Section(json, at: place, keys: ["when"] + Self.keysOfVariants)
            guard let when = variant["when"] else { throw variant.missing("when") }
            var none = Scopes(isSplit: false, secretNames: [])
            let conditions = try ReadCondition.all(when, at: variant.place(of: "when"), &none)
            guard conditions.allSatisfy(\.isOfHeaders) else {
                throw InvalidValue(variant.place(of: "when"), "may ask for headers only")
            }
            let merged = Section(variant, over: self.section, without: "when")
            let (plan, options) = try ReadPlan.plan(merged, tenants: tenants, options: options)
            plans.append((conditions, plan))
            known.formUnion(options)
        }
        let (plan, rest) = try ReadPlan.plan(self.section, tenants: tenants, options: options)
        try self.require(options, among: known.union(rest))
        return plans + [([], plan)]
    }

    private static let keysOfVariants = [
        "body", "split", "type", "delivery_id", "user_id", "organization", "organization_absent", "time", "order",
        "display_name", "email", "actor", "ignore_when", "ignore_users", "extra_rules", "rules",
    ]

    private func require(_ options: Set<String>, among known: Set<String>) throws(InvalidValue) {
        guard let stranger = options.subtracting(known).min() else { return }
        let nearest = NearestName.of(stranger, among: known.sorted()).map { "; the nearest known option is \"\($0)\"" }
        throw InvalidValue("/options", "has \"\(VisibleText.escaped(stranger))\", which no rule knows\(nearest ?? "")")
    }
}

extension Condition {
    fileprivate var isOfHeaders: Bool {
        switch self {
        case .place: false
        case .header(_, .sameAs): false
        case .header: true
        case .not(let condition): condition.isOfHeaders
        }
    }
}
