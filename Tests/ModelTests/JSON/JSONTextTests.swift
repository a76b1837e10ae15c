// SPDX-License-Identifier: Apache-2.0
// Text written as a JSON string is escaped as RFC 8259 requires, and every JSON parser reads the same text back.

import Testing

@testable import Model

@Suite struct JSONTextTests {
    @Test(arguments: [
        ("", "\"\""), ("acme", #""acme""#), (#"say "hi""#, #""say \"hi\"""#), (#"C:\new"#, #""C:\\new""#),
        ("é 😀 \u{2028} / \u{7F}", "\"é 😀 \u{2028} / \u{7F}\""),
    ])
    func `only quotation marks, backslashes and control characters are escaped`(text: String, json: String) {
        #expect(JSONText.quoted(text) == json)
    }

    @Test func `line feed, carriage return and tab have short escapes`() {
        #expect(JSONText.quoted("a\nb\rc\td\r\n") == #""a\nb\rc\td\r\n""#)
    }

    @Test func `every other control character is escaped with four hexadecimal digits`() {
        #expect(JSONText.quoted("\u{0}\u{1}\u{8}\u{C}\u{1B}\u{1F}") == #""\u0000\u0001\u0008\u000c\u001b\u001f""#)
    }

    @Test func `the JSON reader reads every text back unchanged`() throws {
        let controls = String(decoding: UInt8(1)..<0x20, as: UTF8.self)
        for text in ["", "plain", #"\"quoted\""#, "\\u0041", "é😀\r\n", controls] {
            #expect(try JSONValue(parsing: Array(JSONText.quoted(text).utf8)) == .string(text))
        }
    }
}
