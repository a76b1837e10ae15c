// SPDX-License-Identifier: Apache-2.0
// A command whose key has asked too often waits as long as the service says, and then has its answer.

import Foundation
import Synchronization
import Testing

@Suite struct AskedTooOftenTests {
    private static let refused = """
        HTTP/1.1 429 X\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n
        """

    private static func run(_ api: StandIn) async throws -> Program.Ended {
        try await Program.run(
            ["why", "ada"],
            [
                "DIALTONE_URL": "http://127.0.0.1:\(api.port)", "DIALTONE_API_KEY": "dtk_of_the_test",
                "DIALTONE_TENANT": "acme",
            ])
    }

    @Test func `a command waits as long as it is told, and asks again`() async throws {
        let answer = """
            {"tenant":"acme","user_id":"ada","why":{"code":"ready","text":"is ready","since":null,"next_at":null,\
            "action":null}}
            """
        let answers = Answers([.say(Self.refused), .reply(200, answer)])
        let api = try StandIn { _ in answers.next() }
        defer { api.stop() }
        let ended = try await Self.run(api)
        #expect(ended.code == 0 && ended.output.contains("is ready"), "\(ended)")
        #expect(api.seen.count == 2)
    }

    @Test func `a wait of minutes is the caller's own`() async throws {
        let api = try StandIn { _ in .say(Self.refused.replacing("retry-after: 1", with: "retry-after: 600")) }
        defer { api.stop() }
        let ended = try await Self.run(api)
        #expect(ended.code == 7 && api.seen.count == 1, "\(ended)")
    }
}

/// Answers one after another; the last one stays.
private final class Answers: Sendable {
    private let left: Mutex<[StandIn.Act]>

    init(_ acts: [StandIn.Act]) { self.left = Mutex(acts) }

    func next() -> StandIn.Act { self.left.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
}
