// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL types our tables use, by the object ids of pg_type.dat.

/// A column or parameter type. Arrays are one-dimensional.
package struct PostgresType: RawRepresentable, Hashable, Sendable {
    /// The type's object id.
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let bool = Self(rawValue: 16)
    package static let bytea = Self(rawValue: 17)
    package static let name = Self(rawValue: 19)
    package static let int8 = Self(rawValue: 20)
    package static let int2 = Self(rawValue: 21)
    package static let int4 = Self(rawValue: 23)
    package static let text = Self(rawValue: 25)
    package static let oid = Self(rawValue: 26)
    package static let json = Self(rawValue: 114)
    package static let float8 = Self(rawValue: 701)
    package static let unknown = Self(rawValue: 705)
    package static let bpchar = Self(rawValue: 1042)
    package static let varchar = Self(rawValue: 1043)
    package static let timestamptz = Self(rawValue: 1184)
    package static let interval = Self(rawValue: 1186)
    package static let uuid = Self(rawValue: 2950)
    package static let jsonb = Self(rawValue: 3802)

    package static let boolArray = Self(rawValue: 1000)
    package static let byteaArray = Self(rawValue: 1001)
    package static let nameArray = Self(rawValue: 1003)
    package static let int4Array = Self(rawValue: 1007)
    package static let int8Array = Self(rawValue: 1016)
    package static let textArray = Self(rawValue: 1009)
    package static let float8Array = Self(rawValue: 1022)
    package static let timestamptzArray = Self(rawValue: 1185)
    package static let intervalArray = Self(rawValue: 1187)
    package static let uuidArray = Self(rawValue: 2951)

    /// The array type over this element type.
    var array: Self {
        switch self {
        case .bool: .boolArray
        case .bytea: .byteaArray
        case .int4: .int4Array
        case .int8: .int8Array
        case .text: .textArray
        case .float8: .float8Array
        case .timestamptz: .timestamptzArray
        case .interval: .intervalArray
        case .uuid: .uuidArray
        default: preconditionFailure("no array type is known for type \(self.rawValue)")
        }
    }
}
