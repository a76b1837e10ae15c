// SPDX-License-Identifier: Apache-2.0
// The API key of a request: it names the caller, and it says whether the caller may use the route.

import Access
import Foundation
import HTTPTypes
import Hummingbird
import Model

/// Turns a request's key into its caller, or refuses. Every route behind a key calls it first.
struct Authenticator: Sendable {
    let keys: APIKeys
    let now: @Sendable () -> Date

    func caller(of request: Request, needs scope: Scope) async throws -> Caller {
        let bearer = try AuthorizationHeader.bearer(request.headers[values: .authorization])
        let caller = try await self.keys.authenticate(bearer, now: self.now())
        guard caller.may(scope) else {
            throw Problem(403, "scope_missing", "The key lacks the scope \(scope.rawValue).")
        }
        return caller
    }
}
