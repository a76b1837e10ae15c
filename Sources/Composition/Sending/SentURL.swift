// SPDX-License-Identifier: Apache-2.0
// A URL that `dialtone send` calls, and whether a secret may go there.

import Foundation
import Telnyx

struct SentURL {
    private let parts: URLComponents
    private let text: String

    /// Nil for what is no URL of http or https.
    init?(_ text: String) {
        guard let parts = URLComponents(string: text), parts.host?.isEmpty == false,
            ["http", "https"].contains(parts.scheme?.lowercased() ?? "")
        else { return nil }
        self.parts = parts
        self.text = text
    }

    /// Whether it is this machine.
    var isLoopback: Bool { ProxyExceptions.isLoopback(self.text) }

    /// Whether nobody on the way reads what is sent there.
    var isPrivate: Bool { self.isHTTPS || self.isLoopback }

    /// Whether it has nothing but scheme, host, port and path.
    var isBare: Bool {
        self.parts.user == nil && self.parts.password == nil && self.parts.query == nil && self.parts.fragment == nil
    }

    /// Scheme, host and port.
    var origin: String {
        let host = self.parts.host?.lowercased() ?? ""
        return "\(self.isHTTPS ? "https" : "http")://\(host):\(self.parts.port ?? (self.isHTTPS ? 443 : 80))"
    }

    /// Returns the URL of the service: what stands before the API's paths, without a slash at its end.
    ///
    /// A proxy may serve it under a path of its own. `hook` says that the URL is one of the service's hooks.
    func base(hook: Bool) -> String {
        var parts = self.parts
        (parts.user, parts.password, parts.query, parts.fragment) = (nil, nil, nil, nil)
        var path = self.parts.percentEncodedPath
        if hook {
            let route = path.range(of: "/v1/hooks/", options: .backwards)
            path = route.map { String(path[..<$0.lowerBound]) } ?? ""
        }
        while path.hasSuffix("/") { path.removeLast() }
        parts.percentEncodedPath = path
        return parts.string ?? self.origin
    }

    private var isHTTPS: Bool { self.parts.scheme?.lowercased() == "https" }
}
