// SPDX-License-Identifier: Apache-2.0
// One statement and its values. An interpolated value becomes a bind parameter, so input cannot become SQL.

/// A statement with its bind parameters.
///
///     let statement: SQL = "select status from dialtone.users where tenant_id = \(tenant) and user_id = \(user)"
///
/// Each `\(value)` is sent beside the text as a binary parameter (libpq chapter 34.3, `PQsendQueryParams`).
/// The description shows the text and `****` for each value.
package struct SQL: Sendable, ExpressibleByStringInterpolation, ExpressibleByStringLiteral, CustomStringConvertible {
    package internal(set) var text: String
    package private(set) var parameters: [Parameter]

    /// One value in the form libpq sends it: a type and bytes in network order, or NULL.
    package struct Parameter: Sendable {
        package let type: PostgresType
        package let bytes: [UInt8]?
    }

    package init(stringLiteral text: String) {
        self.text = text
        self.parameters = []
    }

    package init(stringInterpolation: StringInterpolation) {
        self.text = stringInterpolation.text
        self.parameters = stringInterpolation.parameters
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var parameters: [Parameter] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + interpolationCount * 3)
            self.parameters.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { self.text += literal }

        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            var bytes: [UInt8] = []
            let isNull = !value.encode(into: &bytes)
            self.parameters.append(Parameter(type: Value.postgresType, bytes: isNull ? nil : bytes))
            self.text += "$\(self.parameters.count)"
        }

        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            guard let value else {
                self.parameters.append(Parameter(type: Value.postgresType, bytes: nil))
                return self.text += "$\(self.parameters.count)"
            }
            self.appendInterpolation(value)
        }

        /// An id or a status word is sent as the value that it wraps.
        package mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value)
        where Value.RawValue: PostgresEncodable {
            self.appendInterpolation(value.rawValue)
        }

        package mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value?)
        where Value.RawValue: PostgresEncodable {
            self.appendInterpolation(value?.rawValue)
        }

        package mutating func appendInterpolation<Value: RawRepresentable>(_ values: [Value])
        where Value.RawValue: PostgresEncodable {
            self.appendInterpolation(values.map(\.rawValue))
        }

        /// Puts another statement's text and values here. Its parameters are renumbered by their new places.
        package mutating func appendInterpolation(_ part: SQL) {
            // A part without values has no number to change.
            if part.parameters.isEmpty { return self.text += part.text }
            var rest = Substring(part.text)
            while let dollar = rest.firstIndex(of: "$") {
                let digits = rest[rest.index(after: dollar)...].prefix(while: \.isNumber)
                self.text += rest[..<dollar]
                if let number = Int(digits) {
                    self.text += "$\(self.parameters.count + number)"
                } else {
                    self.text += "$"
                }
                rest = rest[digits.endIndex...]
            }
            self.text += rest
            self.parameters += part.parameters
        }

        /// Puts text into the statement as it is: only for text that the caller has written itself, never for input.
        package mutating func appendInterpolation(unsafeText: String) { self.text += unsafeText }
    }

    package var description: String {
        var shown = self.text
        for number in (1...max(1, self.parameters.count)).reversed() where !self.parameters.isEmpty {
            shown = shown.replacing("$\(number)", with: "****")
        }
        return shown
    }
}
