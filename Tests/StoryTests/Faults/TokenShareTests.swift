// SPDX-License-Identifier: Apache-2.0
// One tenant's back end asks for many users' login tokens at once: it is told to wait, and nobody else notices.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct TokenShareTests {
    @Test func `a tenant that asks for too many login tokens gets 429, and a kept token is still served`() async throws
    {
        try await Story.with(["DIALTONE_TOKEN_RATE": "1"]) { story in
            let users = (1...20).map { "u-\($0)" }
            for user in users { _ = try await story.send(.created, user, delivery: user) }
            try await story.waitUntil(users.count, are: .ready)
            #expect(try await story.loginToken(for: users[0]).status == 200)
            var refused: [Story.Reply] = []
            for user in users.dropFirst() {
                let reply = try await story.loginToken(for: user)
                if reply.status != 200 { refused.append(reply) }
            }
            #expect(!refused.isEmpty)
            for reply in refused {
                #expect(reply.status == 429 && reply.problem?.code == "too_many_tokens", "\(reply.body)")
                #expect(reply.headers.first(name: "retry-after").flatMap(Int.init).map { (1...5).contains($0) } == true)
            }
            #expect(try await story.loginToken(for: users[0]).status == 200)
            #expect(try await story.administration.limits().isEmpty, "it is that tenant's limit, and no pause of all")
        }
    }
}
