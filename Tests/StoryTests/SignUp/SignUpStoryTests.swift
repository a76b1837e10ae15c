// SPDX-License-Identifier: Apache-2.0
// The README's walk as a test: a signed webhook over real HTTP becomes one sealed credential and a login token.

import AsyncHTTPClient
import Composition
import Foundation
import Logging
import Model
import NIOCore
import NIOHTTP1
import Postgres
import ServiceLifecycle
import TelnyxSimulator
import TestSupport
import Testing

@Suite struct SignUpStoryTests {
    @Test func oneSignUpBecomesOneSealedCredentialAndALoginToken() async throws {
        try await Story.with { story in
            let reply = try await story.send("user.created", "u-1", delivery: "msg_1")
            #expect(reply.status == 202)
            #expect(try await story.send("user.created", "u-1", delivery: "msg_1").status == 200)
            let token = try await story.post(
                "/v1/login-tokens", "{\"user_id\":\"u-1\"}", prefer: "wait=20")
            #expect(token.status == 200)
            #expect(token.body.contains("\"login_token\":\"eyJ"))

            let row = try await story.database.admin.query(
                """
                select c.provider_id, c.name, c.tag, c.status, c.sealed_username, c.sealed_password, u.status,
                       (select count(*) from dialtone.jobs), (select count(*) from dialtone.credentials)
                from dialtone.credentials c join dialtone.users u using (tenant_id, user_id)
                where tenant_id = 'acme' and user_id = 'u-1'
                """
            ).first
            let (id, name, tag, status, username, password, userStatus, jobs, credentials) = try #require(row).decode(
                String.self, String.self, String.self, String.self, Bytes.self, Bytes.self, String.self, Int64.self,
                Int64.self)
            #expect(tag == "acme" && status == "active" && userStatus == "ready" && jobs == 0 && credentials == 1)
            #expect(name.hasPrefix("dt-") && name.utf8.count == 64)

            let held = try await story.provider("/control/credentials?secrets=1")
            struct Held: Decodable {
                struct One: Decodable {
                    var id: String
                    var name: String
                    var sip_username: String
                    var sip_password: String
                }
                var data: [One]
            }
            let atProvider = try JSONDecoder().decode(Held.self, from: Data(held.utf8)).data
            #expect(atProvider.map(\.id) == [id] && atProvider.map(\.name) == [name])
            for one in atProvider {
                for sealed in [username.value, password.value] {
                    #expect(sealed.starts(with: [0x54, 0x43, 1, 1]))
                    #expect(sealed.firstRange(of: Array(one.sip_password.utf8)) == nil)
                    #expect(sealed.firstRange(of: Array(one.sip_username.utf8)) == nil)
                }
                #expect(token.body.contains(one.sip_username) && !token.body.contains(one.sip_password))
            }
        }
    }

    @Test func aDeletedUserLosesTheCredentialAndASecondSignUpGetsAnother() async throws {
        try await Story.with { story in
            _ = try await story.send("user.created", "u-2", delivery: "msg_1")
            _ = try await story.post("/v1/login-tokens", "{\"user_id\":\"u-2\"}", prefer: "wait=20")
            #expect(try await story.send("user.deleted", "u-2", delivery: "msg_2").status == 202)
            try await story.until("select 1 from dialtone.users where user_id = 'u-2' and status = 'revoked'")
            #expect(try await story.post("/v1/login-tokens", "{\"user_id\":\"u-2\"}").status == 410)
            #expect(try await story.send("user.created", "u-2", delivery: "msg_3").status == 202)
            #expect(
                try await story.post("/v1/login-tokens", "{\"user_id\":\"u-2\"}", prefer: "wait=20").status == 200)
            let rows = try await story.database.admin.query(
                "select generation, status from dialtone.credentials where user_id = 'u-2' order by generation")
            #expect(
                try rows.map { row in "\(try row.decode(Int32.self, String.self))" } == [
                    "(1, \"deleted\")", "(2, \"active\")",
                ])
            #expect(try await story.provider("/control/counts").contains("\"live\":1}"))
        }
    }

    @Test func aLostReplyIsFoundAgainAndNotMadeTwice() async throws {
        try await Story.with { story in
            try await story.fault("drop_after_commit", times: 1)
            _ = try await story.send("user.created", "u-3", delivery: "msg_1")
            #expect(
                try await story.post("/v1/login-tokens", "{\"user_id\":\"u-3\"}", prefer: "wait=25").status == 200)
            let counts = try await story.provider("/control/counts")
            #expect(counts.contains("\"creates\":1,\"deletes\":0") && counts.contains("\"live\":1}"))
        }
    }

    @Test func theOfficialSignersAreAcceptedAndForgeriesRefused() async throws {
        try await Story.with { story in
            try await Python.run("standard_webhooks.py", [story.hookURL, story.secret])
        }
    }

    @Test func theOfficialClientIsServedByTheSimulator() async throws {
        try await Story.with { story in
            try await Python.run("telnyx_sdk.py", ["\(story.providerURL)/v2"])
        }
    }

    @Test func wrongRequestsAreNamedAndStoreNothing() async throws {
        try await Story.with { story in
            let unknown = try await story.raw(.POST, "/v1/hooks/hk_nobody", "{}")
            #expect(unknown.status == 404 && unknown.body.contains("\"code\":\"unknown_hook\""))
            let unsigned = try await story.raw(.POST, story.hookPath, "{}")
            #expect(unsigned.status == 401 && unsigned.body.contains("webhook-id is missing"))
            let large = try await story.raw(.POST, story.hookPath, String(repeating: "x", count: 300_000))
            #expect(large.status == 413)
            let keyless = try await story.raw(.POST, "/v1/login-tokens", "{}")
            #expect(keyless.status == 401 && keyless.body.contains("\"request_id\""))
            #expect(try await story.post("/v1/login-tokens", "{\"user_id\":\"nobody\"}").status == 404)
            #expect(try await story.post("/v1/login-tokens", "{\"tenant\":\"globex\",\"user_id\":\"u\"}").status == 404)
            #expect(try await story.raw(.GET, "/healthz", "").status == 200)
            #expect(try await story.raw(.GET, "/readyz", "").status == 200)
            #expect(try await story.database.admin.query("select 1 from dialtone.events").isEmpty)
        }
    }
}
