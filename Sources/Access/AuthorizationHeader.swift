// SPDX-License-Identifier: Apache-2.0
// Reads the `Authorization` header of a request.

package enum AuthorizationHeader {
    /// Returns the token of exactly one `Bearer` header (RFC 6750 section 2.1). The scheme's case does not matter.
    /// `values` are all values of the header.
    package static func bearer(_ values: [String]) throws(AccessError) -> String {
        guard let value = values.first else { throw .missing }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard values.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else { throw .malformed }
        return String(parts[1])
    }
}
