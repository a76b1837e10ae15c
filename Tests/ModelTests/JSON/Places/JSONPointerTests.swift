// SPDX-License-Identifier: Apache-2.0
// A JSON Pointer is read by RFC 6901 and written back as it was.

import Testing

@testable import Model

@Suite struct JSONPointerTests {
    @Test(arguments: [
        ("", []), ("/", [""]), ("/a/b", ["a", "b"]), ("/a~1b/m~0n", ["a/b", "m~n"]), ("/~01", ["~1"]),
        ("//", ["", ""]),
        ("/ /ü/0", [" ", "ü", "0"]), ("/custom:tenant_id", ["custom:tenant_id"]),
    ])
    func `a pointer is read and written back`(text: String, steps: [String]) throws {
        let pointer = try JSONPointer(text)
        #expect(pointer.steps == steps)
        #expect(pointer.description == text)
    }

    @Test(arguments: ["a", "a/b", "/a~", "/~2", "/~~0", "#/a", String(repeating: "/a", count: 33)])
    func `another text is refused`(text: String) {
        #expect(throws: InvalidValue.self) { try JSONPointer(text) }
    }
}
