// SPDX-License-Identifier: Apache-2.0
// The words of a line that is not finished, as a shell hands them to a completion.

import Foundation

struct SaidWords: Sendable {
    private let words: [String]

    /// Behind -- no word is an option.
    init(_ words: [String]) { self.words = Array(words.prefix { $0 != "--" }) }

    /// Returns what the line says of an option; nil: nothing yet. bash makes words of their own of `=` and `:`.
    func value(of option: String) -> String? {
        let isNamed = { (word: String) in word == option || word.hasPrefix(option + "=") }
        guard let place = self.words.lastIndex(where: isNamed) else { return nil }
        var rest = self.words[place...].dropFirst()
        var value = String(self.words[place].dropFirst(option.count + 1))
        if value.isEmpty {
            if rest.first == "=" { rest = rest.dropFirst() }
            value = rest.popFirst() ?? ""
        }
        while rest.first == ":" {
            rest = rest.dropFirst()
            value += ":" + (rest.popFirst() ?? "")
        }
        value = value.trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
        return value.isEmpty || value.hasPrefix("-") ? nil : value
    }
}
