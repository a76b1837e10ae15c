// SPDX-License-Identifier: Apache-2.0
// Where a process listens: how an operator writes the address, and how the program shows it.

import Foundation
import Glibc

package enum ListenAddress {
    /// Returns host and port of `host:port`, `[v6]:port` or `:port`; nil for another text.
    ///
    /// Without a host it is every address of the machine, as in other servers. Port 0 without a host is this machine
    /// alone, because nobody else could know the port.
    package static func parse(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = self.port(text[text.index(after: colon)...]),
            !self.lacksBrackets(text)
        else { return nil }
        let host = text[..<colon]
        guard !host.contains(where: { $0.isWhitespace || "/@#?\"'".contains($0) }) else { return nil }
        if host.isEmpty || host == "*" { return (port == 0 ? "127.0.0.1" : self.everyAddress, port) }
        guard host.hasPrefix("[") == host.hasSuffix("]"), host.hasPrefix("[") == host.contains(":") else { return nil }
        return (host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port)
    }

    /// Digits alone: `Int` reads a sign, too.
    private static func port(_ text: Substring) -> Int? {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(text), port <= 65_535 else { return nil }
        return port
    }

    /// Returns whether the text, a URL or `host:port`, holds an IPv6 address without its brackets. Its end could not be
    /// told from the port (RFC 3986 section 3.2.2).
    package static func lacksBrackets(_ text: String) -> Bool {
        let start = text.range(of: "://")?.upperBound ?? text.startIndex
        let authority = text[start...].prefix { $0 != "/" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return !host.hasPrefix("[") && host.count(where: { $0 == ":" }) > 1
    }

    /// Returns `host:port`, with brackets around an IPv6 address.
    package static func shown(host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    package static func isEveryAddress(_ host: String) -> Bool { ["0.0.0.0", "::"].contains(host) }

    /// `::` where one socket takes both families, and `0.0.0.0` on a machine without IPv6.
    private static var everyAddress: String {
        let probe = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return "0.0.0.0" }
        defer { close(probe) }
        var isOnlyV6: Int32 = 1
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(probe, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &isOnlyV6, &size) == 0, isOnlyV6 == 0 else {
            return "0.0.0.0"
        }
        // The loopback's own address is bound, because a machine may have the protocol and no address.
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        guard inet_pton(AF_INET6, "::1", &address.sin6_addr) == 1 else { return "0.0.0.0" }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        return bound == 0 ? "::" : "0.0.0.0"
    }
}
