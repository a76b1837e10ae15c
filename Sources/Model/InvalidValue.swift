// SPDX-License-Identifier: Apache-2.0
// The error for a value from outside that does not have the shape it must have.

/// Says which field is wrong and why, and never quotes the value.
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
    package let field: String
    package let reason: String

    package init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    package var description: String { "\(self.field) \(self.reason)" }
}
