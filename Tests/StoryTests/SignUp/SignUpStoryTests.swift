// SPDX-License-Identifier: Apache-2.0
// The README's walk as a test: a signed webhook over real HTTP becomes one sealed credential and a login token.

import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct SignUpStoryTests {
    @Test func `one sign-up becomes one sealed credential and a login token`() async throws {
        try await Story.with { story in
            #expect(try await story.send(.created, "u-1", delivery: "msg_1").status == 202)
            #expect(try await story.send(.created, "u-1", delivery: "msg_1").status == 200)
            let token = try await story.loginToken(for: "u-1", wait: 20)
            #expect(token.status == 200)
            #expect(token.loginToken?.login_token.hasPrefix("eyJ") == true)

            #expect(try await story.users() == [.init("u-1", .live, .ready)])
            #expect(try await story.credentials(of: "u-1") == [.init(1, .active)])
            #expect(try await story.jobCount() == 0)
            let sealed = try await Self.sealed(story, "u-1")
            #expect(sealed.tag == "acme" && sealed.name.hasPrefix("dt-") && sealed.name.utf8.count == 64)

            let held = try await story.provider.credentials()
            #expect(held.map(\.id) == [sealed.id] && held.map(\.name) == [sealed.name])
            for one in held {
                for bytes in [sealed.username, sealed.password] {
                    // The vault's format: "TC", version 1, algorithm 1.
                    #expect(bytes.starts(with: [0x54, 0x43, 1, 1]))
                    #expect(bytes.firstRange(of: Array(one.sip_password.utf8)) == nil)
                    #expect(bytes.firstRange(of: Array(one.sip_username.utf8)) == nil)
                }
                #expect(token.loginToken?.sip_username == one.sip_username)
                #expect(!token.body.contains(one.sip_password))
            }
        }
    }

    @Test func `a deleted user loses the credential, and a second sign-up gets another`() async throws {
        try await Story.with { story in
            _ = try await story.send(.created, "u-2", delivery: "msg_1")
            _ = try await story.loginToken(for: "u-2", wait: 20)
            #expect(try await story.send(.deleted, "u-2", delivery: "msg_2").status == 202)
            try await story.waitUntil("u-2", is: .revoked)
            #expect(try await story.loginToken(for: "u-2").status == 410)
            #expect(try await story.send(.created, "u-2", delivery: "msg_3").status == 202)
            #expect(try await story.loginToken(for: "u-2", wait: 20).status == 200)
            #expect(try await story.credentials(of: "u-2") == [.init(1, .deleted), .init(2, .active)])
            #expect(try await story.provider.live() == 1)
        }
    }

    @Test func `a create whose answer is lost is found again and not repeated`() async throws {
        try await Story.with { story in
            try await story.provider.misbehaves(.lostAnswer)
            _ = try await story.send(.created, "u-3", delivery: "msg_1")
            #expect(try await story.loginToken(for: "u-3", wait: 25).status == 200)
            #expect(try await story.provider.callsPerName() == [.init(creates: 1, deletes: 0)])
            #expect(try await story.provider.live() == 1)
        }
    }

    @Test func `the official signers are accepted and forgeries refused`() async throws {
        try await Story.with { story in
            try await OutsideProgram.python("standard_webhooks.py", [story.hookURL, story.secret])
        }
    }

    @Test func `the simulator serves the provider's official client`() async throws {
        try await Story.with { story in
            try await OutsideProgram.python("telnyx_sdk.py", ["\(story.provider.url)/v2"])
        }
    }

    @Test func `a wrong request is named and stores nothing`() async throws {
        try await Story.with { story in
            let unknown = try await story.request(.POST, "/v1/hooks/hk_nobody", "{}")
            #expect(unknown.status == 404 && unknown.problem?.code == "unknown_hook")
            let unsigned = try await story.request(.POST, story.hookPath, "{}")
            #expect(unsigned.status == 401 && unsigned.problem?.detail.contains("webhook-id is missing") == true)
            let large = try await story.request(.POST, story.hookPath, String(repeating: "x", count: 300_000))
            #expect(large.status == 413)
            let keyless = try await story.request(.POST, "/v1/login-tokens", "{}")
            #expect(keyless.status == 401 && keyless.problem?.request_id.isEmpty == false)
            #expect(try await story.loginToken(for: "nobody").status == 404)
            #expect(try await story.loginToken(for: "u", tenant: "globex").status == 404)
            #expect(try await story.request(.GET, "/healthz").status == 200)
            #expect(try await story.request(.GET, "/readyz").status == 200)
            #expect(try await story.eventCount() == 0)
        }
    }

    /// The user's credential as the ledger keeps it.
    private struct Sealed {
        let id: String
        let name: String
        let tag: String
        let username: [UInt8]
        let password: [UInt8]
    }

    private static func sealed(_ story: Story, _ user: String) async throws -> Sealed {
        let row = try await story.database.admin.query(
            """
            select provider_id, name, tag, sealed_username, sealed_password from dialtone.credentials
            where tenant_id = 'acme' and user_id = \(user)
            """
        ).first
        let (id, name, tag, username, password) = try #require(row).decode(
            String.self, String.self, String.self, Bytes.self, Bytes.self)
        return Sealed(id: id, name: name, tag: tag, username: username.value, password: password.value)
    }
}
