// SPDX-License-Identifier: Apache-2.0
// What stands at `/`: the name of the service, for people who open its address and for `OPTIONS *`.

import HTTPTypes
import Hummingbird
import NIOCore

struct ServiceDocument: Sendable {
    private static let routes = [
        "POST /v1/hooks/{hook}", "POST /v1/login-tokens", "GET /v1/tenants/{tenant}/users",
        "GET /v1/tenants/{tenant}/users/{user}", "GET /v1/tenants/{tenant}/users/{user}/timeline", "GET /healthz",
        "GET /readyz",
    ]

    func add(to router: Router<WebContext>) {
        router.get("/") { request, _ in Self.wantsPage(request.headers[values: .accept]) ? Self.page : Self.document }
        router.refuseOthers("/", allowed: .get)
    }

    /// Browsers name `text/html`, and programs do not.
    private static func wantsPage(_ accept: [String]) -> Bool {
        accept.contains { $0.lowercased().contains("text/html") }
    }

    private static var document: Response {
        let list = Self.routes.map { "\"\($0)\"" }.joined(separator: ",")
        return Self.response("application/json", "{\"service\":\"dialtone\",\"routes\":[\(list)]}\n")
    }

    private static var page: Response {
        let list = Self.routes.map { "<li><code>\($0)</code></li>" }.joined()
        return Self.response(
            "text/html; charset=utf-8",
            "<!doctype html><html lang=\"en\"><title>Dialtone</title><h1>Dialtone</h1><ul>\(list)</ul></html>\n")
    }

    private static func response(_ type: String, _ text: String) -> Response {
        let headers: HTTPFields = [.contentType: type, .vary: "Accept", .contentSecurityPolicy: "default-src 'none'"]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
