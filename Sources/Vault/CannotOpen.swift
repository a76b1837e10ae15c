// SPDX-License-Identifier: Apache-2.0
// The one error of a sealed value, which gives no reason.

/// A value does not open. The key is wrong, the place is wrong, or the value is damaged; nobody can tell which.
package struct CannotOpen: Error, Equatable, CustomStringConvertible {
    package var description: String { "cannot open" }
}
