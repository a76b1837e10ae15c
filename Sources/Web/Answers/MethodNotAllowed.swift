// SPDX-License-Identifier: Apache-2.0
// A known path with a method it does not have: 405 and the allowed methods. The router alone would say 404.

import HTTPTypes
import Hummingbird

extension Router {
    /// Adds a 405 with `Allow` (RFC 9110 section 15.5.6) for every method of this path that has no route, and 204 with
    /// `Allow` for OPTIONS (section 9.3.7).
    ///
    /// HEAD is allowed wherever GET is, because the router makes it from GET.
    func refuseOthers(_ path: RouterPath, allowed method: HTTPRequest.Method) {
        let allowed: [HTTPRequest.Method] = method == .get ? [.get, .head, .options] : [method, .options]
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        self.on(path, method: .options) { _, _ in Response(status: .noContent, headers: [.allow: list]) }
        let problem = Problem(405, "method_not_allowed", "This method is not allowed here.", allow: list)
        for other in KnownMethods.all where !allowed.contains(other) {
            self.on(path, method: other) { _, _ -> Response in throw problem }
        }
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
