// SPDX-License-Identifier: Apache-2.0
// A signature fits one way to part its content, and no other.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct ContentTemplateTests {
    @Test(arguments: [
        "{id}{timestamp}.{body}", "{timestamp}{id}.{body}", "{id}{body}", "{body}{id}", "{body}{timestamp}",
        "{header:x}{body}", "{timestamp}.{body}{header:x}", "{header:x}{header:y}.{body}", "{id}{timestamp}{body}",
        "{timestamp}{timestamp}.{body}",
    ])
    func `two placeholders side by side are refused`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try ContentTemplate(text, at: "content") }
        #expect(error?.field == "content" && error?.reason.contains("text between") == true)
    }

    /// `x0`, the text and 1700000000 would be `x`, the text and 01700000000: the same time.
    @Test func `digits between the body and the time are refused`() {
        for text in ["{body}0{timestamp}", "{body}:{id}00{timestamp}"] {
            let error = #expect(throws: InvalidValue.self) { try ContentTemplate(text, at: "content") }
            #expect(error?.reason.contains("no digit") == true)
        }
        #expect(throws: Never.self) { try ContentTemplate("{body}0:{timestamp}", at: "content") }
    }

    @Test(arguments: ["{body}", "a{body}b", "{timestamp}{body}", "{id}.{timestamp}{body}", "{id}.{body}:{header:x}"])
    func `text between two of them, or a time in front of the body, is taken`(text: String) throws {
        #expect(throws: Never.self) { try ContentTemplate(text, at: "content") }
    }

    @Test(arguments: [
        ("{timestamp}{body}", true), ("{timestamp}0{body}", true),
        ("{timestamp}.{body}", false), ("{timestamp}0.{body}", false), ("{body}:{timestamp}", false), ("{body}", false),
        ("{id}1{body}", false),
    ])
    func `only its tolerance ends a time beside digits`(text: String, isNeeded: Bool) throws {
        #expect(try ContentTemplate(text, at: "content").needsBoundedTime == isNeeded)
        guard text.contains("{timestamp}") else { return }
        let read = { (ahead: String) in
            let configuration = """
                {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature", "content": "\(text)",
                 "timestamp": {"header": "x-time", "unit": "s", "tolerance": 300, "ahead": \(ahead)}}
                """
            return try ProofConfiguration(try JSONValue(parsing: Array(configuration.utf8)))
        }
        #expect(throws: Never.self) { try read("300") }
        if isNeeded {
            let error = #expect(throws: InvalidValue.self) { try read(#""any""#) }
            #expect(error?.field == "proof.content")
        } else {
            #expect(throws: Never.self) { try read(#""any""#) }
        }
    }

    /// Every value that is taken is cut out again, whatever the rest is.
    @Test(arguments: [
        ("{id}.{body}", "a", true), ("{id}.{body}", "a.b", false), ("{id}.{body}", ".", false),
        ("{id}..{body}", "a.b", true), ("{id}..{body}", "a.", false), ("{id}..{body}", ".a", true),
        ("{id}::x{body}", "a:", true), ("{id}:x:{body}", "a:x", false), ("{body}.{id}", "a", true),
        ("{body}.{id}", "a.b", false), ("{body}..{id}", ".a", false), ("{body}..{id}", "a.", true),
        ("v0:{id}:{body}", "v0", true), ("v0:{id}:{body}", "a:b", false), ("{id}-{body}.{header:x}", "a.b", true),
    ])
    func `a value that holds the text beside it is refused`(text: String, value: String, isTaken: Bool) throws {
        let template = try ContentTemplate(text, at: "content")
        let place = try #require(template.pieces.firstIndex(of: .id))
        #expect(template.canPart(Array(value.utf8), at: place) == isTaken)
    }
}
