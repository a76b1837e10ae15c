// SPDX-License-Identifier: Apache-2.0
// What a client may ask for beside its request: a wait, the allowed methods, the service's own document.

import Foundation
import NIOHTTP1
import Testing

@Suite struct AskedTests {
    @Test func `a wait is granted in every form of the standard, and the answer says how long`() async throws {
        try await Story.with { story in
            try await story.signUp("u")
            let forms: [([String], String?)] = [
                ([], nil), (["wait=5"], "wait=5"), (["wait=\"5\"; a=b"], "wait=5"), (["a, b", "Wait=60"], "wait=25"),
                (["wait=x"], nil),
            ]
            for (values, applied) in forms {
                var headers: HTTPHeaders = ["authorization": "Bearer \(story.key)", "content-type": "application/json"]
                for value in values { headers.add(name: "prefer", value: value) }
                let reply = try await story.request(.POST, "/v1/login-tokens", "{\"user_id\":\"u\"}", headers)
                #expect(reply.status == 200)
                #expect(reply.headers.first(name: "preference-applied") == applied, "\(values)")
            }
        }
    }

    @Test func `every path names its methods, and HEAD is GET without a body`() async throws {
        try await Story.with { story in
            let users = "/v1/tenants/acme/users"
            let paths = [
                (story.hookPath, "POST, OPTIONS"), ("/v1/login-tokens", "POST, OPTIONS"),
                (users, "GET, HEAD, OPTIONS"), ("\(users)/u", "GET, HEAD, OPTIONS"),
                ("\(users)/u/timeline", "GET, HEAD, OPTIONS"), ("/healthz", "GET, HEAD, OPTIONS"),
                ("/readyz", "GET, HEAD, OPTIONS"), ("/", "GET, HEAD, OPTIONS"),
            ]
            for (path, allowed) in paths {
                let options = try await story.request(.OPTIONS, path)
                #expect(options.status == 204 && options.body.isEmpty, "\(path)")
                #expect(options.headers["allow"] == [allowed], "\(path)")
                let other = try await story.request(.PROPFIND, path)
                #expect(other.status == 405 && other.headers["allow"] == [allowed], "\(path)")
            }
            for path in ["/", "/healthz"] {
                let (get, head) = (try await story.request(.GET, path), try await story.request(.HEAD, path))
                #expect(head.status == 200 && head.body.isEmpty)
                #expect(head.headers["content-length"] == get.headers["content-length"])
            }
        }
    }

    /// A 304 would hide the proof that two calls to the provider were made for.
    @Test func `an answer that says when it was true has no tag, and is given in full`() async throws {
        try await Story.with { story in
            try await story.signUp("u")
            let tenant = "/v1/tenants/acme"
            let headers: HTTPHeaders = ["authorization": "Bearer \(story.key)", "if-none-match": "*"]
            let user = try await story.request(.GET, "\(tenant)/users/u", "", headers)
            #expect(user.status == 304 && user.headers.first(name: "etag") != nil, "the other answers have a tag")
            let asked: [(HTTPMethod, String)] = [
                (.GET, "/users/u/proof"), (.POST, "/users/u/verify"), (.GET, "/summary"),
            ]
            for (method, path) in asked {
                let reply = try await story.request(method, tenant + path, "", headers)
                #expect(reply.status == 200 && reply.headers.first(name: "etag") == nil, "\(path): \(reply)")
                #expect(reply.headers.first(name: "cache-control") == "no-store", "\(path)")
                #expect(reply.body.hasPrefix("{") && reply.body.contains("\"tenant\":\"acme\""), "\(path)")
            }
        }
    }

    @Test func `the provider's word says that what it has is live and bears the name`() async throws {
        try await Story.with { story in
            try await story.signUp("u")
            let reply = try await story.request(
                .POST, "/v1/tenants/acme/users/u/verify", "", ["authorization": "Bearer \(story.key)"])
            #expect(reply.body.contains("\"verdict\":\"exactly_one\""), "\(reply)")
            for fact in ["\"by_id\":200", "\"is_expired\":false", "\"has_name\":true", "\"expired_by_name\":[]"] {
                #expect(reply.body.contains(fact), "\(fact): \(reply)")
            }
        }
    }

    @Test func `the root names the service, as a page for browsers`() async throws {
        try await Story.with { story in
            let document = try await story.request(.GET, "/", "", ["accept": "*/*"])
            #expect(document.status == 200 && document.body.contains("\"service\":\"dialtone\""))
            let page = try await story.request(.GET, "/", "", ["accept": "text/html,application/xhtml+xml"])
            #expect(page.status == 200 && page.body.hasPrefix("<!doctype html>"))
            try await RawClient.with(story.address) { client in
                try await client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer?.status == 204)
            }
        }
    }
}
