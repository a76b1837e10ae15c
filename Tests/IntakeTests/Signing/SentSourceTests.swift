// SPDX-License-Identifier: Apache-2.0
// Who sends in a sender's place reads what the answer says, also where a sender gets an answer of its own.

import Model
import Testing

@testable import Intake

@Suite struct SentSourceTests {
    @Test(arguments: EventOutcome.allCases)
    func `an answer that names its outcome is taken at its word`(outcome: EventOutcome) throws {
        for preset in Presets.names {
            let source = try SentSource(preset: preset, configuration: nil)
            let body = #"{"event_id":"019abf5e-8d4c-7d2c-9f6e-0c8f4f0b8a11","status":"\#(outcome.rawValue)"}"#
            #expect(source.outcome(status: 202, body: body) == outcome)
        }
    }

    @Test(
        arguments: [
            ("okta", 204, "", .quarantined), ("supabase-hook", 200, "{}", .ignored), ("supabase-hook", 204, "", nil),
            ("clerk", 202, "", nil), ("clerk", 200, "{}", nil), ("standard", 404, #"{"status":404}"#, nil),
            ("standard", 200, "not JSON", nil),
        ] as [(String, Int, String, EventOutcome?)])
    func `an answer of a sender's own means what its configuration says`(
        preset: String, status: Int, body: String, outcome: EventOutcome?
    ) throws {
        let source = try SentSource(preset: preset, configuration: nil)
        #expect(source.outcome(status: status, body: body) == outcome)
    }

    @Test func `the answers of a source's own configuration count`() throws {
        let source = try SentSource(
            preset: "clerk",
            configuration: Array(
                #"""
                {"grammar":1,"answers":{"quarantined":{"status":200,"body":"{\"status\":\"kept\"}"},
                 "any":{"status":200,"body":"ok"}}}
                """#.utf8))
        #expect(source.outcome(status: 200, body: #"{"status":"kept"}"#) == .quarantined)
        #expect(source.outcome(status: 200, body: "ok") == nil)
    }
}
