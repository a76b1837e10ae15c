// SPDX-License-Identifier: Apache-2.0
// What answers a route: a function of the request as the gate has left it.

import HTTPTypes
import Hummingbird

/// A handler takes as much as its route's access gives. One that asks for more does not fit and is never called.
enum Handler: Sendable {
    case open(@Sendable (Request, WebContext) async throws -> Response)
    case keyed(@Sendable (KeyedRequest) async throws -> Response)
    case tenant(@Sendable (TenantRequest) async throws -> Response)

    /// Whether the handler takes what a route with this access gives.
    func fits(_ access: Route.Access) -> Bool {
        switch (access, self) {
        case (.anyone, .open), (.sender, .open), (.key, .keyed), (.operators, .keyed), (.tenant, .tenant): true
        default: false
        }
    }

    /// Answers the request, behind the gate of the route. A handler that does not fit is a mistake: 500, and nothing is
    /// shown.
    func answer(_ route: Route, _ request: Request, _ context: WebContext, _ gate: Gate) async throws -> Response {
        switch (route.access, self) {
        case (.anyone, .open(let answer)), (.sender, .open(let answer)): return try await answer(request, context)
        case (.key(let scope), .keyed(let answer)):
            return try await gate.answer(route, to: request, for: scope) { caller in
                try await answer(try gate.open(route, to: request, context, for: scope, by: caller))
            }
        case (.operators(let scope), .keyed(let answer)):
            return try await gate.answer(route, to: request, for: scope) { caller in
                try await answer(try gate.openToOperators(route, to: request, context, for: scope, by: caller))
            }
        case (.tenant(let scope), .tenant(let answer)):
            return try await gate.answer(route, to: request, for: scope) { caller in
                try await answer(try gate.openTenant(route, to: request, context, for: scope, by: caller))
            }
        default: throw Problem(500, "internal", "Something went wrong here.")
        }
    }
}

extension Router where Context == WebContext {
    /// Adds every route of the table, and for each path the answer to the methods that it does not have.
    ///
    /// HEAD comes with GET, because the router makes it.
    func add(_ routes: [Route], behind gate: Gate, _ handler: (Operation) -> Handler) {
        for route in routes {
            let answering = handler(route.operation)
            self.on(route.routerPath, method: route.method) { request, context in
                try await answering.answer(route, request, context, gate)
            }
        }
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            let taken = routes.map(\.method)
            let allowed = routes.filter(\.isAllowed).map(\.method)
            self.refuseOthers(RouterPath(Route.inRouter(path)), allowed: allowed, taken: taken)
        }
    }
}
