// SPDX-License-Identifier: Apache-2.0
// A JSON value that is written is read as the same value.

import Model
import Testing

@Suite struct JSONValueTextTests {
    @Test(arguments: [
        "null", "true", "false", "-1.50e+3", "18446744073709551616", #""""#, #""a\"\\\n\u0001é🎧""#, "[]", "{}",
        #"[1,[null,{"b":2,"a":[true]}],"x"]"#, #"{"b":{"a":null},"\"":""}"#,
    ])
    func `members keep their order and numbers their digits`(text: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value.text == text)
        #expect(try JSONValue(parsing: Array(value.text.utf8)) == value)
    }
}
