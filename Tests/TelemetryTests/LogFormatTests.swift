// SPDX-License-Identifier: Apache-2.0
// A log line is one line in both forms, and a terminal obeys nothing in it.

import Foundation
import Logging
import Testing

@testable import Telemetry

@Suite struct LogFormatTests {
    private static func record(_ value: String) -> LogRecord {
        LogRecord(
            time: Date(timeIntervalSince1970: 0), level: .warning, label: "dialtone",
            message: "there is no such setting",
            facts: [(name: "name", value: value)])
    }

    @Test func `the JSON form has time, level, label, message and the facts`() {
        let line = LogFormat.json.line(of: Self.record("a\"b\n"))
        #expect(
            line == """
                {"time":"1970-01-01T00:00:00.000Z","level":"warning","label":"dialtone",\
                "message":"there is no such setting","name":"a\\"b\\n"}

                """)
    }

    @Test(arguments: [
        ("plain", "name=plain"), ("two words", "name=\"two words\""), ("", "name=\"\""),
        ("say \"hi\"", "name=\"say \\\"hi\\\"\""), ("a\u{1b}[2Jb", "name=a\\u{1b}[2Jb"),
        ("a\u{9b}2J\u{202e}b", "name=a\\u{9b}2J\\u{202e}b"), ("a\nb\u{2028}c", "name=a\\u{a}b\\u{2028}c"),
    ])
    func `the text form escapes what a terminal obeys`(value: String, shown: String) {
        let line = LogFormat.text.line(of: Self.record(value))
        #expect(line == "1970-01-01T00:00:00.000Z WARNING dialtone: there is no such setting \(shown)\n")
    }
}
