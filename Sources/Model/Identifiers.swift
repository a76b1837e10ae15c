// SPDX-License-Identifier: Apache-2.0
// The identifiers of tenants, users, events, jobs and credentials: each has its own type and is checked once.
//
// `Model` holds the nouns of the story and imports no other target. A noun that comes from outside checks itself when
// it is made, so that no later code has to.

package import Foundation

/// A customer organisation, by its slug: `^[a-z0-9][a-z0-9-]{0,62}$`.
package struct TenantID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard let first = bytes.first, bytes.count <= 63, Self.isSlugByte(first), first != UInt8(ascii: "-"),
            bytes.allSatisfy(Self.isSlugByte)
        else { return nil }
        self.rawValue = rawValue
    }

    package init(_ text: String) throws(InvalidValue) {
        guard let id = Self(rawValue: text) else {
            throw InvalidValue(
                "tenant", "must be 1 to 63 characters of a-z, 0-9 and '-', and start with a letter or digit")
        }
        self = id
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.rawValue.utf8.lexicographicallyPrecedes(rhs.rawValue.utf8)
    }
    package var description: String { self.rawValue }

    private static func isSlugByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// The sender's own id of a user: opaque text of 1 to 255 bytes, all of it visible.
///
/// An operator reads ids on a terminal. A control character could steer it, and a hidden one could make two ids look
/// alike.
package struct UserID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init?(rawValue: String) {
        guard (1...255).contains(rawValue.utf8.count), !rawValue.utf8.contains(0) else { return nil }
        self.rawValue = rawValue
    }

    /// The id of a user who may be new.
    package init(_ text: String) throws(InvalidValue) {
        guard let id = Self(rawValue: text), VisibleText.isVisible(text) else {
            throw InvalidValue("user_id", "must be 1 to 255 bytes of UTF-8 without control or invisible characters")
        }
        self = id
    }

    /// The id of a user who is there already, if anywhere. An older rule may have let more characters in, and such a
    /// user must still be found and taken away.
    package init(existing text: String) throws(InvalidValue) {
        guard let id = Self(rawValue: text) else {
            throw InvalidValue("user_id", "must be 1 to 255 bytes of UTF-8 without NUL")
        }
        self = id
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.rawValue.utf8.lexicographicallyPrecedes(rhs.rawValue.utf8)
    }
    package var description: String { self.rawValue }
}

/// One user of one tenant: the key by which Dialtone decides everything.
package struct UserKey: Hashable, Comparable, Sendable {
    package let tenant: TenantID
    package let user: UserID

    package init(tenant: TenantID, user: UserID) {
        self.tenant = tenant
        self.user = user
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.tenant == rhs.tenant ? lhs.user < rhs.user : lhs.tenant < rhs.tenant
    }
}

/// The number of a user's credential: 1, 2, … A rotation, a sign-up after a revoke or a replacement opens the next one.
/// A number is never reused.
package typealias Generation = Int32

/// A sender of sign-up events.
package struct SourceID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UUID
    package init(rawValue: UUID) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Our own id of one recorded event.
package struct EventID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UUID
    package init(rawValue: UUID) { self.rawValue = rawValue }

    /// Makes a version 7 UUID (RFC 9562 section 5.7), so that ids of one time lie side by side in the ledger's index.
    package init(at now: Date) {
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000)) & 0xFFFF_FFFF_FFFF
        var generator = SystemRandomNumberGenerator()
        let high = (milliseconds << 16 | 0x7000 | generator.next() & 0x0FFF).bigEndian
        let low = (generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000).bigEndian
        var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &bytes) { raw in
            raw.storeBytes(of: high, toByteOffset: 0, as: UInt64.self)
            raw.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
        }
        self.rawValue = UUID(uuid: bytes)
    }

    package var description: String { self.rawValue.lowercase }
}

/// The id of one job. It is random, so that its index entries spread.
package struct JobID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UUID
    package init(rawValue: UUID) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
    package var description: String { self.rawValue.lowercase }
}

/// The id of one start of one worker. Each start has a new random id, so that a restarted worker is never mistaken for
/// its former self.
package struct WorkerID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UUID
    package init(rawValue: UUID) { self.rawValue = rawValue }
    package var description: String { self.rawValue.lowercase }
}

/// The provider's id of a telephony credential.
package struct ProviderID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
    package var description: String { self.rawValue }
}
