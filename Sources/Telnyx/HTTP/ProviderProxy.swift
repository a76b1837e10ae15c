// SPDX-License-Identifier: Apache-2.0
// The HTTP proxy through which the provider is called, read from its URL.

import AsyncHTTPClient
import Foundation
package import Model

/// A proxy that opens a tunnel to the provider (CONNECT, RFC 9110 section 9.3.6).
package struct ProviderProxy: Sendable {
    package let host: String
    package let port: Int
    private let login: Login?

    private struct Login: Sendable {
        var user: Secret<String>
        var password: Secret<String>
    }

    /// Host and port, for people. User and password are not in it.
    package var place: String { self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)" }

    /// Reads `http://user:password@host:port`. The scheme, the login and the port may be left out; the port is then 80.
    ///
    /// Special characters of user and password are `%` escapes. Returns nil for another text. The caller must not show
    /// the text, because it may hold a password.
    package init?(_ text: Secret<String>) {
        var rest = text.reveal()[...]
        if let scheme = rest.firstRange(of: "://") {
            guard rest[..<scheme.lowerBound].lowercased() == "http" else { return nil }
            rest = rest[scheme.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var login: Login?
        if let at = rest.lastIndex(of: "@") {
            guard let read = Self.login(rest[..<at]) else { return nil }
            login = read
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = Self.place(rest) else { return nil }
        self.init(host: host, port: port, login: login)
    }

    private init(host: String, port: Int, login: Login?) {
        self.host = host
        self.port = port
        self.login = login
    }

    private static func login(_ text: Substring) -> Login? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first?.removingPercentEncoding else { return nil }
        guard parts.count == 2 else { return Login(user: Secret(user), password: Secret("")) }
        guard let password = parts[1].removingPercentEncoding else { return nil }
        return Login(user: Secret(user), password: Secret(password))
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    private static func place(_ text: Substring) -> (host: String, port: Int)? {
        var host = text
        var port = 80
        if let end = text.lastIndex(of: "]"), text.hasPrefix("[") {
            host = text[text.index(after: text.startIndex)..<end]
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            guard IPAddress(host) != nil, let read = after.isEmpty ? port : Int(after.dropFirst()) else { return nil }
            port = read
        } else {
            if let colon = text.lastIndex(of: ":") {
                guard let read = Int(text[text.index(after: colon)...]) else { return nil }
                (host, port) = (text[..<colon], read)
            }
            let isName = host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            guard isName else { return nil }
        }
        guard !host.isEmpty, (1...65_535).contains(port) else { return nil }
        return (String(host), port)
    }

    /// The proxy as AsyncHTTPClient takes it.
    var configuration: HTTPClient.Configuration.Proxy {
        .server(
            host: self.host, port: self.port,
            authorization: self.login.map { .basic(username: $0.user.reveal(), password: $0.password.reveal()) })
    }
}
