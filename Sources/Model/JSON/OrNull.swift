// SPDX-License-Identifier: Apache-2.0
// A member of a JSON object that is there always: null when it has no value. A reader then needs one rule only.

/// The synthesised coding leaves a nil out. With this wrapper it writes null.
@propertyWrapper
package struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

extension OrNull: Equatable where Value: Equatable {}

extension OrNull: Decodable where Value: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self.init(wrappedValue: container.decodeNil() ? nil : try container.decode(Value.self))
    }
}

extension KeyedDecodingContainer {
    /// A member that an older program does not write is null. Synthesised code prefers this form to the general one.
    package func decode<Value>(_ type: OrNull<Value>.Type, forKey key: Key) throws -> OrNull<Value>
    where Value: Decodable {
        try self.decodeIfPresent(type, forKey: key) ?? OrNull(wrappedValue: nil)
    }
}
