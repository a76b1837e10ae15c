// SPDX-License-Identifier: Apache-2.0
// How a Swift value becomes a binary parameter: big-endian bytes as the server's *_recv functions read them.
//
// Every value goes both ways in PostgreSQL's binary format. `PostgresEncodable` writes the bytes of a parameter and
// names its type. `PostgresDecodable` checks a column's type first and then reads the bytes that the server's *_send
// functions wrote. `PostgresType` lists the types that our tables use. No text is quoted, parsed or guessed.

package import Foundation

/// A value that may stand in an `SQL` interpolation.
package protocol PostgresEncodable: Sendable {
    static var postgresType: PostgresType { get }

    /// Appends the binary form and returns true. For NULL it appends nothing and returns false.
    func encode(into bytes: inout [UInt8]) -> Bool
}

extension [UInt8] {
    /// Appends an integer in network order.
    mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            self.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }
}

extension Bool: PostgresEncodable {
    package static var postgresType: PostgresType { .bool }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(self ? 1 : 0)
        return true
    }
}

extension Int32: PostgresEncodable {
    package static var postgresType: PostgresType { .int4 }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self)
        return true
    }
}

extension Int64: PostgresEncodable {
    package static var postgresType: PostgresType { .int8 }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self)
        return true
    }
}

extension Int: PostgresEncodable {
    package static var postgresType: PostgresType { .int8 }
    package func encode(into bytes: inout [UInt8]) -> Bool { Int64(self).encode(into: &bytes) }
}

extension Double: PostgresEncodable {
    package static var postgresType: PostgresType { .float8 }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self.bitPattern)
        return true
    }
}

extension String: PostgresEncodable {
    package static var postgresType: PostgresType { .text }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: self.utf8)
        return true
    }
}

extension Data: PostgresEncodable {
    package static var postgresType: PostgresType { .bytea }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: self)
        return true
    }
}

extension UUID: PostgresEncodable {
    package static var postgresType: PostgresType { .uuid }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        let u = self.uuid
        bytes += [u.0, u.1, u.2, u.3, u.4, u.5, u.6, u.7, u.8, u.9, u.10, u.11, u.12, u.13, u.14, u.15]
        return true
    }
}

/// timestamptz is a count of microseconds since 2000-01-01 00:00 UTC.
enum PostgresEpoch {
    static let secondsFromReferenceDate: Double = -31_622_400
}

extension Date: PostgresEncodable {
    package static var postgresType: PostgresType { .timestamptz }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        let seconds = self.timeIntervalSinceReferenceDate - PostgresEpoch.secondsFromReferenceDate
        // The server's own range ends at 294276 AD. The clamp keeps an absurd date from trapping the conversion.
        let microseconds = Int64(max(-2e17, min(9e18, (seconds * 1_000_000).rounded())))
        bytes.append(bigEndian: microseconds)
        return true
    }
}

/// An interval in microseconds, without days and months (interval_recv in the server's timestamp.c). A fraction of a
/// microsecond is cut off.
extension Duration: PostgresEncodable {
    package static var postgresType: PostgresType { .interval }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        let (seconds, attoseconds) = self.components
        // The clamp keeps a duration of more than 292,000 years from trapping the conversion.
        let limit: Int64 = 9_000_000_000_000
        bytes.append(bigEndian: min(max(seconds, -limit), limit) * 1_000_000 + attoseconds / 1_000_000_000_000)
        bytes.append(bigEndian: Int64(0))
        return true
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        switch self {
        case .none: false
        case .some(let value): value.encode(into: &bytes)
        }
    }
}

/// One-dimensional arrays, as array_recv in the server's arrayfuncs.c reads them.
///
/// The form is dimensions, has-nulls, element type, length, lower bound, then each element with its length. The length
/// of NULL is -1. `Bytes` is one bytea and no array.
extension Array: PostgresEncodable where Element: PostgresEncodable {
    package static var postgresType: PostgresType { Element.postgresType.array }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: Int32(self.isEmpty ? 0 : 1))
        let nullsAt = bytes.count
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: Element.postgresType.rawValue)
        guard !self.isEmpty else { return true }
        bytes.append(bigEndian: Int32(self.count))
        bytes.append(bigEndian: Int32(1))
        for element in self {
            let lengthAt = bytes.count
            bytes.append(bigEndian: Int32(-1))
            if element.encode(into: &bytes) {
                bytes.set(bigEndian: Int32(bytes.count - lengthAt - 4), at: lengthAt)
            } else {
                bytes.set(bigEndian: Int32(1), at: nullsAt)
            }
        }
        return true
    }
}

extension [UInt8] {
    fileprivate mutating func set(bigEndian number: Int32, at index: Int) {
        for place in 0..<4 {
            self[index + place] = UInt8(truncatingIfNeeded: number >> Int32(24 - 8 * place))
        }
    }
}

/// Raw bytes as one bytea parameter.
package struct Bytes: PostgresEncodable, Equatable {
    package let value: [UInt8]
    package init(_ value: [UInt8]) { self.value = value }

    package static var postgresType: PostgresType { .bytea }
    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: self.value)
        return true
    }
}
