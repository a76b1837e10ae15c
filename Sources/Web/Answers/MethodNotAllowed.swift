// SPDX-License-Identifier: Apache-2.0
// A known path with a method it does not have: 405 and the allowed methods. The router alone would say 404.

import HTTPTypes
import Hummingbird

extension Router {
    /// Adds a 405 with `Allow` (RFC 9110 section 15.5.6) for every method of this path that has no route, and 204 with
    /// `Allow` for OPTIONS (section 9.3.7).
    ///
    /// HEAD is allowed wherever GET is, because the router makes it from GET. A route of its own has each of `taken`.
    func refuseOthers(
        _ path: RouterPath, allowed methods: [HTTPRequest.Method], taken: [HTTPRequest.Method] = []
    ) {
        let refusal = MethodRefusal(allowed: methods)
        for other in KnownMethods.all where !taken.contains(other) {
            guard other == .options || !refusal.allowed.contains(other) else { continue }
            self.on(path, method: other) { _, _ -> Response in try refusal.answer(to: other) }
        }
    }
}

/// The answer of a path to a method that has no route.
struct MethodRefusal: Sendable {
    let allowed: [HTTPRequest.Method]
    private let list: String

    init(allowed methods: [HTTPRequest.Method]) {
        self.allowed = methods.flatMap { $0 == .get ? [.get, .head] : [$0] } + [.options]
        self.list = self.allowed.map(\.rawValue).joined(separator: ", ")
    }

    /// Returns 204 to OPTIONS, and throws 405 for any other.
    func answer(to method: HTTPRequest.Method) throws -> Response {
        guard method == .options else {
            throw Problem(405, "method_not_allowed", "This method is not allowed here.", allow: self.list)
        }
        return Response(status: .noContent, headers: [.allow: self.list])
    }
}

/// Every method that the parser lets through (llhttp's HTTP_METHOD_MAP). Any other is 501 before the router sees it.
enum KnownMethods {
    static let all: [HTTPRequest.Method] = names.compactMap { HTTPRequest.Method($0) }

    private static let names = [
        "DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE",
        "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY",
        "CHECKOUT", "MERGE", "MSEARCH", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PATCH", "PURGE",
        "MKCALENDAR", "LINK", "UNLINK", "SOURCE", "QUERY",
    ]
}
