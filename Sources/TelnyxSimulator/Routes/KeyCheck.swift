// SPDX-License-Identifier: Apache-2.0
// Who may call the simulator: its provider's routes want a key always, and its controls want one if it was given one.

import HTTPTypes
import Hummingbird

struct KeyCheck: Sendable {
    /// The keys that are accepted. An empty set accepts any key.
    let keys: Set<String>

    /// Whether the request has a key that is accepted.
    func accepts(_ request: Request) -> Bool {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "), header.utf8.count > 7 else {
            return false
        }
        return self.keys.isEmpty || self.keys.contains(String(header.dropFirst(7)))
    }

    static var refusal: Response {
        ProviderRoutes.response(
            .error(401, "10009", "Authentication failed", "Could not understand the provided credentials."))
    }
}

/// Stands before the controls. A simulator that accepts any key leaves them open.
struct ControlGuard: RouterMiddleware {
    let check: KeyCheck

    @concurrent
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        guard self.check.keys.isEmpty || self.check.accepts(request) else { return KeyCheck.refusal }
        return try await next(request, context)
    }
}
