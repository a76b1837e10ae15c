// SPDX-License-Identifier: Apache-2.0
// A list is read whole and leniently, or it fails.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct ListTests {
    @Test func `a list reads every page with encoded filters, and one failed page fails it`() async throws {
        func page(_ id: String) -> ScriptedServer.Step {
            let shown = ScriptedClient.credential("n", id: id)
            return .reply(200, "{\"data\":[\(shown)],\"meta\":{\"total_pages\":3,\"total_results\":3}}")
        }
        try await ScriptedClient.with([page("a"), page("b"), page("c")]) { client, server in
            let all = try await client.listAll(ListQuery(name: "a b&c=é+%", tag: "t", pageSize: 1))
            #expect(all.map(\.id.rawValue) == ["a", "b", "c"] && server.seen.count == 3)
            let filters = "filter%5Bname%5D=a%20b%26c%3D%C3%A9%2B%25&filter%5Btag%5D=t"
            for (place, seen) in server.seen.enumerated() {
                let line = "GET /v2/telephony_credentials?\(filters)&page%5Bnumber%5D=\(place + 1)&page%5Bsize%5D=1 "
                #expect(seen.line.hasPrefix(line))
            }
        }
        // One failed page fails the whole list, because half a list proves nothing.
        try await ScriptedClient.with([page("a"), .reply(500)]) { client, _ in
            let failure = await #expect(throws: TelnyxFailure.self) { _ = try await client.listAll(ListQuery()) }
            #expect(failure?.kind == .unavailable)
        }
    }

    /// The vendor's schema guarantees no field. One odd element must not hide the other elements of its page.
    @Test func `an element with odd members does not hide the rest of its page`() async throws {
        let odd = "{\"id\":\"odd\",\"name\":7,\"sip_username\":null,\"expired\":\"no\",\"created_at\":{}}"
        let plain = ScriptedClient.credential("n", id: "a")
        let body = "{\"data\":[\(odd),\(plain)],\"meta\":{\"total_pages\":1,\"total_results\":2}}"
        try await ScriptedClient.with([.reply(200, body)]) { client, _ in
            let all = try await client.listAll(ListQuery(tag: "t"))
            #expect(all.map(\.id.rawValue) == ["odd", "a"])
            #expect(all[0].sipUsername == nil && all[0].name == nil && !all[0].expired && all[1].sipUsername != nil)
        }
        // An element without an id could be one of ours, so its page proves nothing.
        try await ScriptedClient.with([.reply(200, "{\"data\":[{\"name\":\"n\"}]}")]) { client, _ in
            let failure = await #expect(throws: TelnyxFailure.self) {
                _ = try await client.listAll(ListQuery(tag: "t"))
            }
            #expect(failure?.kind == .unreadable)
        }
    }
}
