// SPDX-License-Identifier: Apache-2.0
// The reasons why a request's API key is not accepted.

package enum AccessError: Error, Equatable {
    /// The request has no `Authorization` header.
    case missing
    /// The header is not one well-formed key.
    case malformed
    /// No key in force has this id and secret. The two cases are not told apart.
    case unknownOrRevoked
    /// The database could not be asked.
    case unavailable
    /// Too many keys that are not known are being looked up.
    case tooManyUnknown
}
