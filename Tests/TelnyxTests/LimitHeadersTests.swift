// SPDX-License-Identifier: Apache-2.0
// What is left of the provider's limit is read from the headers in each of their notations.

import Foundation
import Model
import Synchronization
import Testing

@testable import Telnyx

@Suite struct LimitHeadersTests {
    private static let headers = ["x-ratelimit-limit: 10", "x-ratelimit-remaining: 2", "x-ratelimit-reset: 5"]

    /// The time is `ScriptedClient.now`, 1,800,000,000 s.
    @Test(arguments: [
        ["x-ratelimit-limit": "100", "x-ratelimit-remaining": "40", "x-ratelimit-reset": "30"],
        ["x-ratelimit-limit": "100", "x-ratelimit-remaining": "40", "x-ratelimit-reset": "1800000030"],
        ["x-ratelimit-limit": "100", "x-ratelimit-remaining": "40", "x-ratelimit-reset": "1800000030000"],
        ["ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "40", "ratelimit-reset": "30"],
        ["ratelimit-policy": "\"all\";q=100;w=60", "ratelimit": "\"all\"; r=40; t=30"],
    ])
    func `each notation says the limit, what remains and the time to the reset`(_ headers: [String: String]) {
        let told = LimitHeaders({ headers[$0] }, now: ScriptedClient.now)
        #expect(told == LimitHeaders(limit: 100, remaining: 40, reset: .seconds(30)))
    }

    @Test(arguments: [
        [:], ["x-ratelimit-limit": "100", "x-ratelimit-remaining": "40"],
        ["x-ratelimit-limit": "many", "x-ratelimit-remaining": "40", "x-ratelimit-reset": "30"],
        ["x-ratelimit-limit": "100", "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "30"],
        ["x-ratelimit-limit": "100", "x-ratelimit-remaining": "40", "x-ratelimit-reset": "1700000000"],
        ["x-ratelimit-limit": "nan", "x-ratelimit-remaining": "inf", "x-ratelimit-reset": "nan"],
        ["ratelimit": "\"all\";r=40", "ratelimit-policy": "\"all\";q=100"], ["ratelimit": "40"],
    ])
    func `headers that are not whole, or make no sense, say nothing`(_ headers: [String: String]) {
        #expect(LimitHeaders({ headers[$0] }, now: ScriptedClient.now) == nil)
    }

    @Test(
        arguments: [
            (200, [], nil, false), (429, [], nil, true), (429, ["retry-after: 3"], nil, false),
            (429, Self.headers, nil, false),
            (200, Self.headers, LimitHeaders(limit: 10, remaining: 2, reset: .seconds(5)), false),
        ] as [(Int, [String], LimitHeaders?, Bool)])
    func `each reply tells what it says of the limit, and a 429 whether it says nothing`(
        status: Int, headers: [String], told: LimitHeaders?, isSilent: Bool
    ) async throws {
        let heard = Mutex<[LimitHeaders?]>([])
        try await ScriptedServer.with([.reply(status, "{}", headers)], greeting: nil) { _, port in
            try await ScriptedClient.client(
                "http://127.0.0.1:\(port)/v2",
                heard: { calls, told, isSilentRefusal in
                    #expect(calls == .reads && isSilentRefusal == isSilent)
                    heard.withLock { $0.append(told) }
                },
                { _ = try? await $0.retrieve(ProviderID(rawValue: "c-1")) })
        }
        #expect(heard.withLock { $0 } == [told])
    }
}
