// SPDX-License-Identifier: Apache-2.0
// The error for a delivery whose sender is not proven.

/// Says why a proof failed. It names the header, and never a header's value or what was expected.
package struct ProofFailure: Error, Equatable {
    package let reason: String
    init(_ reason: String) { self.reason = reason }
}
