// SPDX-License-Identifier: Apache-2.0
// The error for bytes that are not acceptable JSON.

/// Says why a body is refused, and at which byte. It quotes nothing of the body.
package struct JSONError: Error, Equatable {
    package let reason: String
    package let offset: Int
}
