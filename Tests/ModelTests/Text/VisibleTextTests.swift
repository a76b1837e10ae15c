// SPDX-License-Identifier: Apache-2.0
// A character that a terminal obeys or hides is in no user id, and is printed as an escape.

import Testing

@testable import Model

@Suite struct VisibleTextTests {
    /// Controls (C0, DEL, C1), bidi marks, zero-width characters and other formats, line and paragraph separators.
    private static let hidden: [Unicode.Scalar] = [
        "\u{0}", "\u{7}", "\t", "\n", "\r", "\u{1B}", "\u{1F}", "\u{7F}", "\u{80}", "\u{85}", "\u{9B}", "\u{9F}",
        "\u{AD}", "\u{61C}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{200E}", "\u{200F}", "\u{2028}", "\u{2029}",
        "\u{202A}", "\u{202E}", "\u{2060}", "\u{2066}", "\u{2069}", "\u{FEFF}", "\u{E0041}",
    ]

    @Test(arguments: Self.hidden) func `no user id that comes in has a hidden character`(scalar: Unicode.Scalar) {
        #expect(throws: InvalidValue.self) { try UserID("a\(scalar)b") }
    }

    @Test(arguments: ["u-1", "auth0|5f7c", "a@b.co", "Zoë Ångström", "用户", "مستخدم", "e\u{301}", "😀", "a b", "\\u{9b}"])
    func `a user id of visible characters is taken`(text: String) throws {
        #expect(try UserID(text).rawValue == text)
        #expect(VisibleText.escaped(text) == text && JSONText.visible(text) == text)
    }

    @Test func `a hidden character is escaped by its number`() {
        #expect(VisibleText.escaped("a\u{9b}2J\u{202e}b\n\t") == #"a\u{9b}2J\u{202e}b\u{a}\u{9}"#)
        #expect(VisibleText.escaped("é\u{1b}[m\n\tb\r", keepsLines: true) == "é\\u{1b}[m\n\tb\\u{d}")
        #expect(VisibleText.escaped("\u{E0041}") == #"\u{e0041}"#)
    }

    @Test func `JSON with its hidden characters escaped is the same value`() throws {
        for scalar in Self.hidden where scalar.value != 0 {
            let json = JSONText.quoted("a\(scalar)b")
            let visible = JSONText.visible(json)
            #expect(VisibleText.isVisible(visible), "\(scalar.value)")
            #expect(try JSONValue(parsing: Array(visible.utf8)) == .string("a\(scalar)b"))
        }
    }
}
