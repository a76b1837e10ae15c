// SPDX-License-Identifier: Apache-2.0
// Which hosts are called without a proxy: this machine, and those that NO_PROXY names.

import Foundation
import Glibc

/// The rules of NO_PROXY, as curl and Go read it.
package enum ProxyExceptions {
    /// Whether the host of this URL is this machine. It is never called through a proxy.
    package static func isLoopback(_ url: String) -> Bool {
        guard let host = self.place(url)?.host else { return false }
        if let address = IPAddress(host) { return address.isLoopback }
        return host == "localhost" || host.hasSuffix(".localhost")
    }

    /// Whether `list` excepts the host of this URL.
    ///
    /// The entries stand between commas or blanks. An entry is `*`, a name (with the names below it, a leading dot
    /// makes no difference), an address, or a block of addresses such as `10.0.0.0/8`. A port may follow.
    package static func contain(_ url: String, in list: String) -> Bool {
        guard let place = self.place(url) else { return false }
        return list.lowercased().split { $0 == "," || $0.isWhitespace }.contains { self.covers($0, place) }
    }

    private static func place(_ url: String) -> (host: String, port: Int)? {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty else { return nil }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        return (self.withoutDot(bare.lowercased()), parts.port ?? (parts.scheme?.lowercased() == "http" ? 80 : 443))
    }

    private static func covers(_ entry: Substring, _ place: (host: String, port: Int)) -> Bool {
        if entry == "*" { return true }
        let address = IPAddress(place.host)
        if let slash = entry.firstIndex(of: "/") {
            guard let address, let block = IPAddress(entry[..<slash]),
                let bits = Int(entry[entry.index(after: slash)...])
            else { return false }
            return address.isIn(block, bits: bits)
        }
        let (host, port) = self.split(entry)
        if let port, port != place.port { return false }
        if let address { return address == IPAddress(host) }
        var name = self.withoutDot(host)
        if name.hasPrefix("*") { name.removeFirst() }
        if name.hasPrefix(".") { name.removeFirst() }
        return !name.isEmpty && (place.host == name || place.host.hasSuffix(".\(name)"))
    }

    /// Splits `host:port` and `[v6]:port`. An address of version 6 without brackets has no port.
    private static func split(_ entry: Substring) -> (host: String, port: Int?) {
        if IPAddress(entry) != nil { return (String(entry), nil) }
        if entry.hasPrefix("["), let end = entry.lastIndex(of: "]") {
            return (String(entry[..<end].dropFirst()), Int(entry[end...].dropFirst(2)))
        }
        guard let colon = entry.lastIndex(of: ":"), let port = Int(entry[entry.index(after: colon)...]) else {
            return (String(entry), nil)
        }
        return (String(entry[..<colon]), port)
    }

    private static func withoutDot(_ name: String) -> String { name.hasSuffix(".") ? String(name.dropLast()) : name }
}

/// An address of version 4 or 6, as its 4 or 16 bytes.
struct IPAddress: Equatable {
    private let bytes: [UInt8]

    init?(_ text: some StringProtocol) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, String(text), &four) == 1 {
            self.bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, String(text), &six) == 1 {
            let bytes = withUnsafeBytes(of: six) { Array($0) }
            // An address of version 4 may be written as one of version 6: ::ffff:127.0.0.1.
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
            self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        } else {
            return nil
        }
    }

    /// Whether it is an address of this machine: 127.0.0.0/8, ::1, or the unspecified address, which connects to it.
    var isLoopback: Bool {
        if self.bytes.allSatisfy({ $0 == 0 }) { return true }
        if self.bytes.count == 4 { return self.bytes[0] == 127 }
        return self.bytes.dropLast().allSatisfy { $0 == 0 } && self.bytes.last == 1
    }

    /// Whether the first `bits` bits are those of `block`.
    func isIn(_ block: IPAddress, bits: Int) -> Bool {
        guard self.bytes.count == block.bytes.count, (0...self.bytes.count * 8).contains(bits) else { return false }
        let (whole, rest) = bits.quotientAndRemainder(dividingBy: 8)
        guard self.bytes.prefix(whole) == block.bytes.prefix(whole) else { return false }
        return rest == 0 || self.bytes[whole] >> (8 - rest) == block.bytes[whole] >> (8 - rest)
    }
}
