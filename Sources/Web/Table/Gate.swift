// SPDX-License-Identifier: Apache-2.0
// The way in to a route behind a key: who calls, may the key do this, does it reach the tenant, is the query known.

import Access
import Foundation
import HTTPTypes
import Hummingbird
import Model

/// A request that its key has opened.
struct KeyedRequest: Sendable {
    let request: Request
    let context: WebContext
    let caller: Caller
    let query: QueryParameters
    /// Whether the first wall stands (`Gate.comparesTenants`).
    let comparesTenants: Bool
    /// Asks again whether the key is valid and reaches the tenant of the path. Throws when the database does not say.
    let isStillOpen: @Sendable () async throws -> Bool

    /// The tenant that a list of more than one is held to: the key's own. Nil: an operator's list, or one that the
    /// second wall alone holds back.
    var wall: TenantID? {
        guard case .tenant(let own) = self.caller.reach, self.comparesTenants else { return nil }
        return own
    }

    /// Returns on whose behalf rows are read. Throws `refusal` when the caller does not reach the tenant.
    func reader(naming tenant: TenantID, else refusal: any Error) throws -> Reader {
        guard self.caller.reaches(tenant) || !self.comparesTenants else { throw refusal }
        return Reader(self.caller, naming: tenant)
    }
}

/// A request about a tenant that its key reaches.
struct TenantRequest: Sendable {
    let keyed: KeyedRequest
    /// The tenant that the path names.
    let tenant: TenantID
    /// On whose behalf rows are read.
    let reader: Reader

    var request: Request { self.keyed.request }
    var query: QueryParameters { self.keyed.query }

    /// Returns a part of the path without its percent-encoding.
    func path(_ name: String) throws -> String {
        guard let text = try self.keyed.context.parameters.require(name).removingPercentEncoding else {
            throw Problem.notFound
        }
        return text
    }

    /// Returns the user that the path names.
    func user() throws -> UserKey {
        guard let user = UserID(rawValue: try self.path("user")) else { throw Problem.notFound }
        return UserKey(tenant: self.tenant, user: user)
    }
}

/// Opens routes to requests. A request that fails here has asked the database for its key only.
struct Gate: Sendable {
    let keys: Authenticator
    /// The first wall between tenants. Only tests take it away, to see that the second one holds.
    let comparesTenants: Bool
    let quota: Quota

    /// Answers a request whose key has the scope. Where the route has a quota the request counts, whatever its answer
    /// is, and every answer says what is left.
    func answer(
        _ route: Route, to request: Request, for scope: Scope, _ answer: (Caller) async throws -> Response
    ) async throws -> Response {
        let caller = try await self.keys.caller(of: request, needs: scope)
        guard route.hasQuota else { return try await answer(caller) }
        let rest = self.quota.count(caller.keyID)
        let fields = self.quota.fields(rest)
        do {
            try rest.check()
            var response = try await answer(caller)
            for (name, value) in fields { response.headers.set(name, value) }
            return response
        } catch {
            throw CountedError(error: error, fields: fields)
        }
    }

    func open(
        _ route: Route, to request: Request, _ context: WebContext, for scope: Scope, by caller: Caller,
        of tenant: TenantID? = nil
    ) throws -> KeyedRequest {
        KeyedRequest(
            request: request, context: context, caller: caller,
            query: try QueryParameters(request, known: route.parameters), comparesTenants: self.comparesTenants,
            isStillOpen: { try await self.isOpen(to: request, tenant, for: scope) })
    }

    /// The answer to a tenant's key is 404, before any word about the query.
    func openToOperators(
        _ route: Route, to request: Request, _ context: WebContext, for scope: Scope, by caller: Caller
    ) throws -> KeyedRequest {
        guard caller.reach == .allTenants else { throw Problem.notFound }
        return try self.open(route, to: request, context, for: scope, by: caller)
    }

    /// The answer is 404 alike for a tenant that does not exist and for one that the caller may not reach. So it comes
    /// before any word about the query.
    func openTenant(
        _ route: Route, to request: Request, _ context: WebContext, for scope: Scope, by caller: Caller
    ) throws -> TenantRequest {
        let name = try context.parameters.require("tenant")
        guard let tenant = TenantID(rawValue: name), caller.reaches(tenant) || !self.comparesTenants else {
            throw Problem.notFound
        }
        return TenantRequest(
            keyed: try self.open(route, to: request, context, for: scope, by: caller, of: tenant), tenant: tenant,
            reader: Reader(caller, naming: tenant))
    }

    private func isOpen(to request: Request, _ tenant: TenantID?, for scope: Scope) async throws -> Bool {
        do {
            let caller = try await self.keys.caller(of: request, needs: scope)
            return tenant.map(caller.reaches) ?? true || !self.comparesTenants
        } catch AccessError.unknownOrRevoked {
            return false
        }
    }
}
