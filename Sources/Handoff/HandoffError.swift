// SPDX-License-Identifier: Apache-2.0
// Why a user gets no login token.

import Telemetry

package enum HandoffError: Error, Equatable {
    case unknownUser
    /// Not ready yet; ask again after this many seconds.
    case pending(retryAfter: Int)
    case failed
    case revoked
    /// The database will never take a value of the request.
    case refusedValue
    /// The provider gave no token; ask again after this many seconds.
    case providerUnavailable(retryAfter: Int)
    /// This tenant asks for more tokens than one tenant may; ask again after this many seconds.
    case tooManyTokens(retryAfter: Int)
    /// This tenant or key has as many requests under way as it may have; ask again after this many seconds.
    case tooManyRequests(retryAfter: Int)
    /// The database cannot be reached, or the username cannot be opened.
    case unavailable

    /// As the metric `dialtone_login_tokens_total` names it.
    var result: LoginTokenResult {
        switch self {
        // No user can have a value that the database does not take.
        case .unknownUser, .refusedValue: .unknown
        case .pending: .pending
        case .failed: .failed
        case .revoked: .revoked
        case .tooManyTokens, .tooManyRequests: .tooMany
        case .providerUnavailable: .providerUnavailable
        case .unavailable: .unavailable
        }
    }
}
