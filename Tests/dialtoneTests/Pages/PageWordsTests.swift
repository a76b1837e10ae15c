// SPDX-License-Identifier: Apache-2.0
// Holds the pages' tables of events to the presets' rules, in both directions.

import Foundation
import Testing

@Suite struct PageWordsTests {
    @Test(arguments: Page.presets.keys.sorted())
    func `the page's table says of each event what the preset's rules say`(name: String) throws {
        let page = try Page(name)
        let rules = try #require(Page.presets[name]).flatMap { try PresetRule.all(of: $0) }
        #expect(!page.rows.isEmpty && !rules.isEmpty)
        for row in page.rows {
            #expect(!row.names.isEmpty, "\(name) has a row without names")
            if row.isIgnored {
                // Each name of such a row is an event of its own.
                let told = row.names.filter { name in rules.contains { !$0.isOption && $0.types.contains(name) } }
                #expect(told.isEmpty, "\(name): a rule is about what is said to be ignored")
            } else {
                #expect(rules.contains { $0.fits(row) }, "\(name): no rule says \(row)")
            }
        }
        for rule in rules {
            let rows = page.rows.filter { rule.fits($0) }
            #expect(!rows.isEmpty, "\(name) does not say \(rule)")
            let missing = rule.types.filter { type in !rows.contains { $0.names.contains(type) } }
            #expect(missing.isEmpty, "\(name) does not say \(rule)")
        }
    }
}

/// A rule of a preset's JSON: what it is about, and the words it says.
private struct PresetRule {
    /// Types, values of conditions, names of members and the option.
    var names: Set<String> = []
    /// Those of `on`.
    var types: Set<String> = []
    var words: Set<String> = []
    var isOption = false

    /// The row says this rule, and nothing that is not in it.
    func fits(_ row: Page.Row) -> Bool {
        !row.isIgnored && row.words == self.words && row.names.subtracting(self.preset).isSubset(of: self.names)
    }

    /// A row may name the preset that it is about.
    private var preset: Set<String> { Set(Page.presets.values.joined()) }

    /// The rules that say words. A rule that quarantines says none.
    static func all(of preset: String) throws -> [PresetRule] {
        let file = Page.repository.appendingPathComponent("Sources/Intake/Presets/\(preset).json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        let rules = try #require(object?["rules"] as? [[String: Any]])
        return rules.map { PresetRule($0) }.filter { !$0.words.isEmpty }
    }

    private init(_ json: [String: Any]) {
        self.types = Set(Self.texts(json["on"]))
        self.names = self.types
        if let option = json["option"] as? String {
            self.names.insert(option)
            self.isOption = true
        }
        for condition in Self.objects(json["when"]) {
            self.names.formUnion(Self.texts(condition["equals"]) + Self.texts(condition["one_of"]))
            if let place = condition["at"] as? String, let member = place.split(separator: "/").last {
                self.names.insert(String(member))
            }
        }
        for said in [json] + Self.objects(json["words"]) {
            for kind in ["person", "membership"] {
                if let word = said[kind] as? String { self.words.insert("\(kind) \(word)") }
            }
            if said["weak"] as? Bool == true { self.words.insert("weak") }
        }
    }

    private static func texts(_ json: Any?) -> [String] { (json as? String).map { [$0] } ?? json as? [String] ?? [] }

    private static func objects(_ json: Any?) -> [[String: Any]] {
        (json as? [String: Any]).map { [$0] } ?? json as? [[String: Any]] ?? []
    }
}
