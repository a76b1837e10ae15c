// SPDX-License-Identifier: Apache-2.0
// Tells addresses of the public internet from all others, so that a key set's name leads to nothing inside.

import Foundation

/// By IANA's registries of special-purpose addresses (RFC 6890 and its updates).
package enum PublicAddress {
    /// Returns whether an address of 4 or 16 bytes, in network order, is one of the public internet.
    ///
    /// An IPv6 address that holds an IPv4 address is not, apart from NAT64's well-known prefix: there every public IPv4
    /// address looks so. It is as public as the address that it holds.
    package static func isPublic(_ address: some Collection<UInt8>) -> Bool {
        let bytes = Array(address)
        switch bytes.count {
        case 4: return !Self.special.contains { $0.holds(bytes) }
        case 16:
            if Self.nat64.holds(bytes) { return Self.isPublic(bytes[12...]) }
            // Nothing outside is given to anybody: ::/8 holds loopback and mapped addresses, fc00::/7 local ones,
            // fe80::/10 those of one link, and ff00::/8 groups.
            return Self.given.holds(bytes) && !Self.special6.contains { $0.holds(bytes) }
        default: return false
        }
    }

    /// Returns whether an address as text is one. A name, and a text that a resolver alone would take, is none.
    package static func isPublic(_ text: String) -> Bool {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return Self.isPublic(bytes) }
        }
        return false
    }

    private struct Block: Sendable {
        let start: [UInt8]
        let bits: Int

        init(_ start: [UInt8], _ bits: Int) {
            self.start = start
            self.bits = bits
        }

        /// The bytes of `start` that are left out are 0.
        func holds(_ address: [UInt8]) -> Bool {
            for (place, byte) in address.enumerated() where place * 8 < self.bits {
                let counted = min(8, self.bits - place * 8)
                let mask = UInt8(truncatingIfNeeded: 0xFF00 >> counted)
                let wanted = place < self.start.count ? self.start[place] : 0
                if byte & mask != wanted & mask { return false }
            }
            return true
        }
    }

    private static let special: [Block] = [
        Block([0], 8),  // this network
        Block([10], 8), Block([172, 16], 12), Block([192, 168], 16),  // private (RFC 1918)
        Block([100, 64], 10),  // behind a provider's NAT (RFC 6598)
        Block([127], 8),  // loopback
        Block([169, 254], 16),  // link-local, and the clouds' metadata
        Block([192, 0, 0], 24),  // protocols
        Block([192, 0, 2], 24), Block([198, 51, 100], 24), Block([203, 0, 113], 24),  // documentation
        Block([192, 88, 99], 24),  // 6to4 relays, withdrawn
        Block([198, 18], 15),  // benchmarks
        Block([224], 4), Block([240], 4),  // groups, reserved and broadcast
    ]

    private static let given = Block([0x20], 3)
    private static let nat64 = Block([0x00, 0x64, 0xFF, 0x9B], 96)
    private static let special6: [Block] = [
        Block([0x20, 0x01, 0x00], 23),  // protocols, Teredo, ORCHID
        Block([0x20, 0x01, 0x0D, 0xB8], 32), Block([0x3F, 0xFF, 0x00], 20),  // documentation
        Block([0x20, 0x02], 16),  // 6to4, which holds an IPv4 address
    ]
}
