// SPDX-License-Identifier: Apache-2.0
// A known path with a method it does not have: 405 and the allowed methods. The router alone would say 404.

import HTTPTypes
import Hummingbird

extension Router {
    /// Adds a 405 with `Allow` (RFC 9110 section 15.5.6) for every method of this path that has no route.
    ///
    /// HEAD is allowed wherever GET is, because the router makes it from GET.
    func refuseOthers(_ path: RouterPath, allowed method: HTTPRequest.Method) {
        let allowed: [HTTPRequest.Method] = method == .get ? [.get, .head] : [method]
        let problem = Problem(
            405, "method_not_allowed", "This method is not allowed here.",
            allow: allowed.map(\.rawValue).joined(separator: ", "))
        for other in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options]
        where !allowed.contains(other) {
            self.on(path, method: other) { _, _ -> Response in throw problem }
        }
    }
}
