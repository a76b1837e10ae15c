// SPDX-License-Identifier: Apache-2.0
// Everything a caller can get wrong, as a table: bodies, proofs, keys, paths and methods.

import Foundation
import NIOHTTP1

/// A request that must be refused.
struct BadRequest {
    /// For the failure's message.
    var name: String
    var method: HTTPMethod = .POST
    var path: String
    var headers: HTTPHeaders = [:]
    var body = ""
    /// The status of the right answer.
    var status: Int
    /// A word that the problem's detail must have.
    var names = ""

    static func all(_ story: Story) throws -> [BadRequest] {
        try Self.hookBodies(story) + Self.hookProofs(story) + Self.hookRoutes(story)
            + Self.tokenBodies(story) + Self.tokenHeaders(story) + Self.users(story)
    }

    // MARK: Webhooks

    private static func event(_ user: String, _ rest: String = "") -> String {
        "{\"type\":\"user.created\",\"data\":{\"user_id\":\(user)\(rest)}}"
    }

    private static func hookBodies(_ story: Story) throws -> [BadRequest] {
        let bodies: [(String, String)] = [
            ("", "body"), ("{", "body"), ("nonsense", "body"), ("[]", "body"), ("{} {}", "body"), ("null", "body"),
            ("{\"type\":\"a\",\"type\":\"b\"}", "twice"), (Self.event("\"u\"", ",\"user_id\":\"u\""), "twice"),
            (Self.event("\"\\ud800\""), "body"), ("{\"type\":\"user.created\"}", "data"),
            ("{\"type\":\"user.created\",\"data\":[]}", "data"),
            (Self.event("1"), "user_id"), (Self.event("\"\""), "user_id"), (Self.event("null"), "user_id"),
            (Self.event("\"a\\u0007\""), "user_id"), (Self.event("\"a\\u009b2J\""), "user_id"),
            (Self.event("\"a\u{202e}b\""), "user_id"), (Self.event("\"a\\u200b\""), "user_id"),
            (Self.event("\"a\\u2028\""), "user_id"), (Self.event("\"a\\u0000\""), "body"),
            (Self.event("\"\(String(repeating: "x", count: 256))\""), "user_id"),
            (Self.event("\"u\"", ",\"tenant_id\":7"), "tenant_id"),
            (Self.event("\"u\"", ",\"tenant_id\":\"No Slug\""), "tenant"),
            (Self.event("\"u\"", ",\"tenant_id\":\"globex\""), "tenant_id"),
            ("{\"timestamp\":\"x\",\(Self.event("\"u\"").dropFirst())", "timestamp"),
            ("{\"timestamp\":\"2026-02-30T00:00:00Z\",\(Self.event("\"u\"").dropFirst())", "timestamp"),
            ("{\"timestamp\":\"2026-01-01T00:00:00\",\(Self.event("\"u\"").dropFirst())", "timestamp"),
            ("{\"timestamp\":1,\(Self.event("\"u\"").dropFirst())", "timestamp"),
            ("{\"timestamp\":\"2099-01-01T00:00:00Z\",\(Self.event("\"u\"").dropFirst())", "timestamp"),
        ]
        return try bodies.map { body, names in
            // A body that is no JSON is a 400. JSON that lacks a member, or has a wrong one, is a 422.
            let status = ["body", "twice"].contains(names) ? 400 : 422
            return BadRequest(
                name: body, path: story.hookPath, headers: try story.signed(body), body: body, status: status,
                names: names)
        }
    }

    private static func hookProofs(_ story: Story) throws -> [BadRequest] {
        let good = Self.event("\"u\"")
        var requests: [BadRequest] = []
        func add(_ name: String, _ names: String, at time: Date = Date(), _ change: (inout HTTPHeaders) -> Void) throws
        {
            var headers = try story.signed(good, at: time)
            change(&headers)
            requests.append(
                BadRequest(name: name, path: story.hookPath, headers: headers, body: good, status: 401, names: names))
        }
        for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            try add("no \(header)", "\(header) is missing") { $0.remove(name: header) }
            try add("two \(header)", header) { $0.add(name: header, value: $0.first(name: header) ?? "") }
            try add("empty \(header)", header) { $0.replaceOrAdd(name: header, value: "") }
            try add("long \(header)", header) {
                $0.replaceOrAdd(name: header, value: String(repeating: "1", count: 5000))
            }
        }
        try add("foreign signature", "webhook-signature") {
            let code = Data(repeating: 1, count: 32).base64EncodedString()
            $0.replaceOrAdd(name: "webhook-signature", value: "v1,\(code)")
        }
        try add("old", "old", at: Date() - 301) { _ in }
        try add("ahead", "ahead", at: Date() + 600) { _ in }
        return requests
    }

    private static func hookRoutes(_ story: Story) throws -> [BadRequest] {
        let path = story.hookPath
        let foreign = try story.signed(Self.event("\"u\""))
        var requests = [
            BadRequest(name: "foreign hook", path: "/v1/hooks/hk_no", headers: foreign, status: 404),
            BadRequest(
                name: "gzip", path: path, headers: ["content-encoding": "gzip"], status: 415, names: "Encoding"),
        ]
        for method in [HTTPMethod.GET, .PUT, .PATCH, .DELETE] {
            requests.append(
                BadRequest(name: "\(method) hook", method: method, path: path, status: 405, names: "method"))
        }
        for other in ["/v1", "/v1/hooks", "/v1/hooks/a/b", "/nowhere", "/v1/hooks/%00"] {
            requests.append(BadRequest(name: other, path: other, status: 404))
        }
        return requests
    }

    // MARK: Login tokens

    private static let tokenPath = "/v1/login-tokens"

    private static func tokenBodies(_ story: Story) -> [BadRequest] {
        let tooDeep = "{\"user_id\":" + String(repeating: "[", count: 900) + String(repeating: "]", count: 900) + "}"
        let bodies: [(String, Int, String)] = [
            ("", 400, "JSON"), ("[]", 400, "JSON"), ("{", 400, "JSON"), ("{\"user\":\"u\"}", 400, "user_id"),
            ("{\"user_id\":\"a\",\"user_id\":\"b\"}", 400, "twice"), (tooDeep, 400, "deep"),
            ("{}", 422, "user_id"), ("{\"user_id\":1}", 422, "user_id"), ("{\"user_id\":null}", 422, "user_id"),
            ("{\"user_id\":\"\"}", 422, "user_id"), ("{\"user_id\":\"a\\u0007\"}", 422, "user_id"),
            ("{\"user_id\":\"a\\u009b\"}", 422, "user_id"), ("{\"user_id\":\"a\\u202e\"}", 422, "user_id"),
            ("{\"user_id\":\"\(String(repeating: "x", count: 256))\"}", 422, "user_id"),
            ("{\"user_id\":\"u\",\"tenant\":1}", 422, "tenant"),
            ("{\"user_id\":\"u\",\"tenant\":\"A B\"}", 422, "tenant"),
            ("{\"user_id\":\"u\",\"tenant\":\"globex\"}", 404, "user"), ("{\"user_id\":\"nobody\"}", 404, "user"),
            (String(repeating: " ", count: 5000), 413, "4096"),
        ]
        return bodies.map { body, status, names in
            BadRequest(
                name: body, path: Self.tokenPath, headers: Self.key(story), body: body, status: status, names: names)
        }
    }

    private static func tokenHeaders(_ story: Story) -> [BadRequest] {
        let path = Self.tokenPath
        let foreign = String(story.key.dropLast()) + (story.key.hasSuffix("0") ? "1" : "0")
        var requests = [
            BadRequest(name: "no key", path: path, status: 401, names: "Authorization"),
            BadRequest(
                name: "a parameter", path: path + "?user_id=u", headers: Self.key(story), body: "{\"user_id\":\"u\"}",
                status: 400, names: "user_id"),
            BadRequest(
                name: "two keys", path: path,
                headers: HTTPHeaders([("authorization", "Bearer \(story.key)"), ("authorization", "Bearer x")]),
                status: 401),
            BadRequest(
                name: "GET tokens", method: .GET, path: path, headers: Self.key(story), status: 405, names: "method"),
        ]
        for wait in ["wait=", "wait=x", "wait=-1", "wait=99999999999999999999", "=,;=wait", "respond-async, wait=0"] {
            let headers: HTTPHeaders = ["authorization": "Bearer \(story.key)", "prefer": wait]
            requests.append(
                BadRequest(name: wait, path: path, headers: headers, body: "{\"user_id\":\"nobody\"}", status: 404))
        }
        for type in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let headers: HTTPHeaders = ["authorization": "Bearer \(story.key)", "content-type": type]
            requests.append(
                BadRequest(
                    name: "type \(type)", path: path, headers: headers, body: "{\"user_id\":\"nobody\"}", status: 415,
                    names: "application/json"))
        }
        for header in ["", "Bearer", "Bearer ", "Basic hunter2", "Bearer hunter2", "Bearer \(foreign)", story.key] {
            requests.append(
                BadRequest(
                    name: header, path: path, headers: ["authorization": header], status: 401, names: "Authorization"))
        }
        return requests
    }

    // MARK: Users

    private static func users(_ story: Story) -> [BadRequest] {
        let paths: [(String, Int, String)] = [
            ("/v1/tenants/globex/users", 404, ""), ("/v1/tenants/No%20Slug/users", 404, ""),
            ("/v1/tenants/acme/users?limit=0", 400, "limit"), ("/v1/tenants/acme/users?limit=201", 400, "limit"),
            ("/v1/tenants/acme/users?limit=x", 400, "limit"), ("/v1/tenants/acme/users?status=odd", 400, "status"),
            ("/v1/tenants/acme/users?after=!", 400, "after"), ("/v1/tenants/acme/users?after=AA", 400, "after"),
            ("/v1/tenants/acme/users?after=c1.Z2xvYmV4CgpV", 400, "another list"),
            ("/v1/tenants/acme/users?after=c1.YWNtZQpmYWlsZWQKVQ", 400, "another list"),
            ("/v1/tenants/acme/users?stauts=failed", 400, "did you mean status?"),
            ("/v1/tenants/acme/users?status=failed&status=ready", 400, "status"),
            ("/v1/tenants/acme/users?limit=1&%6Cimit=2", 400, "limit"),
            ("/v1/tenants/acme/users/u?limit=1", 400, "limit"),
            ("/v1/tenants/acme/users/u/timeline?after=x", 400, "after"),
            ("/v1/tenants/acme/users/nobody", 404, ""), ("/v1/tenants/acme/users/a%00b", 404, ""),
            ("/v1/tenants/acme/users/%C2%9B", 404, ""), ("/v1/tenants/acme/users/nobody/timeline", 404, ""),
            ("/v1/tenants/globex/users/u/timeline", 404, ""),
        ]
        var requests = paths.map { path, status, names in
            BadRequest(
                name: path, method: .GET, path: path, headers: Self.key(story), status: status, names: names)
        }
        for path in ["users", "users/u", "users/u/timeline"].map({ "/v1/tenants/acme/\($0)" }) {
            requests.append(BadRequest(name: path, method: .GET, path: path, status: 401, names: "Authorization"))
            requests.append(
                BadRequest(
                    name: path, method: .DELETE, path: path, headers: Self.key(story), status: 405, names: "method"))
        }
        return requests
    }

    private static func key(_ story: Story) -> HTTPHeaders { ["authorization": "Bearer \(story.key)"] }
}
