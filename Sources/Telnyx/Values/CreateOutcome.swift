// SPDX-License-Identifier: Apache-2.0
// Everything that may have become of a create, each case with its own name.

/// The outcome of one create.
package enum CreateOutcome: Sendable {
    /// Status 201. The body was readable, and the credential bears our name or no name.
    case created(TelephonyCredential, ProviderTrace)
    /// The request certainly did not leave: no connection, or the HTTP client refused to write it. The text is a short
    /// reason for the log.
    case notSent(String)
    /// Status 429. The wait is between 1 s and 15 min.
    case rateLimited(Duration, ProviderTrace)
    /// Status 401, which refuses the account's key, or 403, which refuses the connection.
    case unauthorised(RefusedScope, ProviderTrace)
    /// Status 400, 404 or 422.
    case rejected(status: Int, ProviderWords, ProviderTrace)
    /// Everything else: the credential may have been made. The text is a short reason for the log.
    case inDoubt(String, ProviderTrace)
}

/// The scope of a refusal: every call of the account, or the calls for one connection.
package enum RefusedScope: Sendable, Equatable {
    case account, connection
}
