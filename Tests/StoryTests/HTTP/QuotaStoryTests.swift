// SPDX-License-Identifier: Apache-2.0
// How often a key may read: every answer says what is left, an error as well as the last refusal.

import Foundation
import Model
import NIOHTTP1
import Testing

@Suite struct QuotaStoryTests {
    @Test func `each answer says what the key has left, errors and the refusal beyond it too`() async throws {
        try await Story.with(["DIALTONE_READS_PER_MINUTE": "6"]) { story in
            let key = try await story.keyOfTenant("acme", [.usersRead])
            let users = "/v1/tenants/acme/users"
            let asked = [
                ("/v1/tenants", 200), (users, 200), ("\(users)/nobody", 404), ("/v1/tenants/globex/users", 404),
                ("\(users)?stauts=failed", 400), ("/v1/tenants?limit=x", 400), (users, 429), ("/v1/tenants", 429),
                ("/v1/tenants/globex/users", 429),
            ]
            for (number, (path, status)) in asked.enumerated() {
                let reply = try await story.request(.GET, path, "", ["authorization": "Bearer \(key)"])
                #expect(reply.status == status, "\(path): \(reply.body)")
                let left = reply.headers.first(name: "ratelimit") ?? "nothing"
                #expect(left.hasPrefix("\"key\";r=\(max(0, 5 - number));t="), "\(path): \(left)")
                #expect(reply.headers["ratelimit-policy"] == ["\"key\";q=6;w=60"], "\(path)")
                #expect((reply.headers.first(name: "retry-after") != nil) == (status == 429), "\(path)")
            }
        }
    }

    @Test func `a request without a good key or scope does not count, and neither does a login token`() async throws {
        try await Story.with(["DIALTONE_READS_PER_MINUTE": "1"]) { story in
            let key = try await story.keyOfTenant("acme", [.usersRead, .loginTokensCreate])
            let headers: HTTPHeaders = ["authorization": "Bearer \(key)", "content-type": "application/json"]
            for _ in 1...3 {
                let refused = try await story.request(.GET, "/v1/tenants/acme/jobs", "", headers)
                #expect(refused.status == 403 && refused.headers["ratelimit"].isEmpty)
                let unknown = try await story.request(.GET, "/v1/tenants")
                #expect(unknown.status == 401 && unknown.headers["ratelimit"].isEmpty)
                let token = try await story.request(.POST, "/v1/login-tokens", "{\"user_id\":\"nobody\"}", headers)
                #expect(token.status == 404 && token.headers["ratelimit"].isEmpty)
            }
            let first = try await story.request(.GET, "/v1/tenants", "", headers)
            #expect(first.status == 200 && first.headers.first(name: "ratelimit")?.hasPrefix("\"key\";r=0;") == true)
        }
    }
}
