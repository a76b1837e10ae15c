// SPDX-License-Identifier: Apache-2.0
// A value that may be used but never shown: every description, reflection and dump of it says "[redacted]".

/// Wraps a secret so that logs, errors and traces cannot hold it by accident.
///
/// `reveal()` is the only way out and easy to search for. It is not `Codable` on purpose.
package struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: Value

    package init(_ value: Value) { self.value = value }

    /// The secret itself; for the one call that needs it.
    package func reveal() -> Value { self.value }

    package var description: String { "[redacted]" }
    package var debugDescription: String { "[redacted]" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Secret {
    /// The same secret in another shape, without leaving the wrapper.
    package func map<Other: Sendable>(_ transform: (Value) throws -> Other) rethrows -> Secret<Other> {
        Secret<Other>(try transform(self.value))
    }
}
