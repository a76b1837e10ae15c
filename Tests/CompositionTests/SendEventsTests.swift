// SPDX-License-Identifier: Apache-2.0
// What is sent in a sender's place shows its secret to nobody on the way, and whether anything follows is known.

import Model
import Testing

@testable import Composition

@Suite struct SendEventsTests {
    private static func order(_ url: String, _ preset: String, _ configuration: String?) -> SendOrder {
        var order = SendOrder(url: url)
        (order.preset, order.secret, order.user, order.organization) = (
            preset, Secret("a-secret-of-32-bytes"), "u", "o"
        )
        order.configuration = configuration.map { Array($0.utf8) }
        return order
    }

    private static let proofs = [
        #"{"kind":"header","header":"x-key"}"#, #"{"kind":"bearer"}"#, #"{"kind":"basic","user":"dialtone"}"#,
    ]

    @Test(arguments: proofs)
    func `a secret that stands in a header goes in clear text to this machine alone`(proof: String) throws {
        let configuration = #"{"grammar":1,"preset":"workos","proofs":[\#(proof)]}"#
        for url in ["https://example.com/v1/hooks/hk_1", "http://127.0.0.1:1/v1/hooks/hk_1", "http://[::1]/hk_1"] {
            _ = try SendEvents(Self.order(url, "workos", configuration))
        }
        for url in ["http://example.com/v1/hooks/hk_1", "HTTP://10.0.0.7/hk_1", "http://127.0.0.1@example.com/hk_1"] {
            var order = Self.order(url, "workos", configuration)
            let error = #expect(throws: InvalidValue.self) { try SendEvents(order) }
            #expect(error?.field == "--url" && error?.reason.contains("https") == true)
            // Nobody's secret is in that one.
            order.fault = .forged
            _ = try SendEvents(order)
        }
    }

    @Test func `a signature may go in clear text`() throws {
        _ = try SendEvents(Self.order("http://example.com/v1/hooks/hk_1", "workos", nil))
    }

    @Test(arguments: ["x", "ftp://example.com/x", "http:///x", ""])
    func `what is no URL of a hook is refused`(url: String) {
        let error = #expect(throws: InvalidValue.self) { try SendEvents(Self.order(url, "workos", nil)) }
        #expect(error?.field == "--url")
    }

    // MARK: What follows

    private static func reason(_ outcomes: [EventOutcome?]) -> String? {
        let answers = outcomes.enumerated().flatMap { number, outcome in
            // The second delivery of the same event is known, whatever has become of the first.
            [(1, outcome), (2, .duplicate)].map {
                SendAnswer(event: "e\(number)", time: $0.0, status: 202, body: "", outcome: $0.1)
            }
        }
        do {
            try answers.requireEffect()
            return nil
        } catch { return error.description }
    }

    @Test(
        arguments: [
            ([.quarantined], "e0 is in quarantine"), ([.accepted, .quarantined], "e1 is in quarantine"),
            ([.ignored], "e0 is ignored"), ([.ignored, .ignored], "e1 is ignored"), ([.superseded], "e0 is superseded"),
        ] as [([EventOutcome?], String)])
    func `events that change nothing are not followed`(outcomes: [EventOutcome?], words: String) throws {
        let reason = try #require(Self.reason(outcomes))
        #expect(reason.hasPrefix(words) && reason.contains("changes nothing"))
    }

    @Test(
        arguments: [[.accepted], [.duplicate], [.accepted, .ignored], [.ignored, .accepted], [nil], [nil, .ignored]]
            as [[EventOutcome?]])
    func `events are followed when one of them may have changed something`(outcomes: [EventOutcome?]) {
        #expect(Self.reason(outcomes) == nil)
    }
}
