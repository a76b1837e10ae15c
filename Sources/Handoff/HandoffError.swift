// SPDX-License-Identifier: Apache-2.0
// Why a user gets no login token.

package enum HandoffError: Error, Equatable {
    case unknownUser
    /// Not ready yet; ask again after this many seconds.
    case pending(retryAfter: Int)
    case failed
    case revoked
    /// The provider gave no token; ask again after this many seconds.
    case providerUnavailable(retryAfter: Int)
    /// The database cannot be reached, or the username cannot be opened.
    case unavailable
}
