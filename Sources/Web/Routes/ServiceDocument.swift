// SPDX-License-Identifier: Apache-2.0
// What stands at `/`: the name of the service, for people who open its address and for `OPTIONS *`.

import HTTPTypes
import Hummingbird
import NIOCore

struct ServiceDocument: Sendable {
    private static let routes = RouteTable.all.filter(\.isAllowed).map { "\($0.method.rawValue) \($0.path)" }

    func show(_ request: Request) -> Response {
        Self.wantsPage(request.headers[values: .accept]) ? Self.page : Self.document
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
        // RFC 8631 section 2: where the service describes itself.
        var headers: HTTPFields = [.contentType: type, .vary: "Accept", .contentSecurityPolicy: "default-src 'none'"]
        headers.set("link", "</openapi.json>; rel=\"service-desc\"")
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
