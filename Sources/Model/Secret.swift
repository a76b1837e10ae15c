// SPDX-License-Identifier: Apache-2.0
// A value that may be used and never shown: its description, reflection and dump all say "[redacted]".

/// Wraps a secret so that logs, errors and traces cannot hold it by accident.
///
/// `reveal()` is the only way out, and is easy to search for. The type is not `Codable` on purpose.
package struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: Value

    package init(_ value: Value) { self.value = value }

    /// Returns the secret itself, for the one call that needs it.
    package func reveal() -> Value { self.value }

    package var description: String { "[redacted]" }
    package var debugDescription: String { "[redacted]" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Secret {
    /// Returns the same secret in another form, still wrapped.
    package func map<Other: Sendable>(_ transform: (Value) throws -> Other) rethrows -> Secret<Other> {
        Secret<Other>(try transform(self.value))
    }
}
