// SPDX-License-Identifier: Apache-2.0
// How a binary column becomes a Swift value again. Each type says which column types it accepts.

package import Foundation

/// A value that can be read from a column.
package protocol PostgresDecodable: Sendable {
    /// Whether a column of this type can be read. The type is checked before the bytes are read.
    static func accepts(_ type: PostgresType) -> Bool

    /// Reads the binary form. Nil when the bytes do not have the shape of the type.
    init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType)

    /// The value of NULL, or nil for a type that has none.
    static var null: Self? { get }
}

extension PostgresDecodable {
    package static var null: Self? { nil }
}

/// A value that can be sent and read.
package typealias PostgresCodable = PostgresDecodable & PostgresEncodable

extension FixedWidthInteger {
    /// Reads `Self` in network order from the start of `bytes`.
    init?(bigEndianBytes bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        let width = Self.bitWidth / 8
        guard offset >= 0, bytes.count - offset >= width else { return nil }
        var value: Self = 0
        for place in 0..<width { value = value << 8 | Self(truncatingIfNeeded: unsafe bytes[offset + place]) }
        self = value
    }
}

extension Bool: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .bool }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard bytes.count == 1 else { return nil }
        self = unsafe bytes[0] != 0
    }
}

extension Int64: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { [.int8, .int4, .int2].contains(type) }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        switch bytes.count {
        case 8:
            guard let value = unsafe Int64(bigEndianBytes: bytes) else { return nil }
            self = value
        case 4:
            guard let value = unsafe Int32(bigEndianBytes: bytes) else { return nil }
            self = Int64(value)
        case 2:
            guard let value = unsafe Int16(bigEndianBytes: bytes) else { return nil }
            self = Int64(value)
        default: return nil
        }
    }
}

extension Int: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { Int64.accepts(type) }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let value = unsafe Int64(postgresBytes: bytes, type: type) else { return nil }
        self = Int(value)
    }
}

extension Int32: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { [.int4, .int2].contains(type) }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let value = unsafe Int64(postgresBytes: bytes, type: type) else { return nil }
        self = Int32(truncatingIfNeeded: value)
    }
}

extension Double: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .float8 }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard bytes.count == 8, let bits = unsafe UInt64(bigEndianBytes: bytes) else { return nil }
        self = Double(bitPattern: bits)
    }
}

extension String: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool {
        [.text, .varchar, .bpchar, .name, .json, .jsonb, .unknown].contains(type)
    }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        if type == .jsonb {
            // jsonb_send puts its version, 1, before the text.
            guard let version = unsafe bytes.first, version == 1 else { return nil }
            unsafe self.init(decoding: bytes.dropFirst(), as: UTF8.self)
        } else {
            unsafe self.init(decoding: bytes, as: UTF8.self)
        }
    }
}

extension Data: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .bytea }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) { unsafe self.init(bytes) }
}

extension Bytes: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .bytea }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) { unsafe self.init([UInt8](bytes)) }
}

extension UUID: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .uuid }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard bytes.count == 16 else { return nil }
        unsafe self.init(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

/// An interval of microseconds and days. A day is 24 hours, as in the server's difference of two timestamps. An
/// interval with months has no fixed length and is not read.
extension Duration: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .interval }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard bytes.count == 16, let microseconds = unsafe Int64(bigEndianBytes: bytes),
            let days = unsafe Int32(bigEndianBytes: bytes, at: 8),
            let months = unsafe Int32(bigEndianBytes: bytes, at: 12),
            months == 0
        else { return nil }
        self = .microseconds(microseconds) + .seconds(86_400 * Int64(days))
    }
}

extension Date: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { type == .timestamptz }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard bytes.count == 8, let microseconds = unsafe Int64(bigEndianBytes: bytes) else { return nil }
        let seconds = Double(microseconds) / 1_000_000
        self.init(timeIntervalSinceReferenceDate: seconds + PostgresEpoch.secondsFromReferenceDate)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { Wrapped.accepts(type) }
    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let value = unsafe Wrapped(postgresBytes: bytes, type: type) else { return nil }
        self = .some(value)
    }
    package static var null: Self? { .some(.none) }
}

/// One-dimensional arrays, as array_send writes them.
extension Array: PostgresDecodable where Element: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool {
        PostgresType.elements[type].map(Element.accepts) ?? false
    }

    package init?(postgresBytes bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let dimensions = unsafe Int32(bigEndianBytes: bytes),
            let oid = unsafe UInt32(bigEndianBytes: bytes, at: 8)
        else { return nil }
        self = []
        if dimensions == 0 { return }
        guard dimensions == 1, let count = unsafe Int32(bigEndianBytes: bytes, at: 12), count >= 0 else { return nil }
        self.reserveCapacity(Int(count))
        var offset = 20
        for _ in 0..<count {
            guard let length = unsafe Int32(bigEndianBytes: bytes, at: offset) else { return nil }
            offset += 4
            if length < 0 {
                guard let null = Element.null else { return nil }
                self.append(null)
                continue
            }
            guard bytes.count - offset >= Int(length) else { return nil }
            let slice = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
            guard let element = unsafe Element(postgresBytes: slice, type: PostgresType(rawValue: oid)) else {
                return nil
            }
            self.append(element)
            offset += Int(length)
        }
    }
}

extension PostgresType {
    fileprivate static let elements: [PostgresType: PostgresType] = [
        .boolArray: .bool, .byteaArray: .bytea, .int4Array: .int4, .int8Array: .int8, .textArray: .text,
        .nameArray: .name, .float8Array: .float8, .timestamptzArray: .timestamptz, .uuidArray: .uuid,
    ]
}
