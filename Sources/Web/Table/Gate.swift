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
    fileprivate let comparesTenants: Bool

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
    /// What the key's quota has left.
    let rest: Quota.Rest
    /// Asks again whether the key is valid and reaches the tenant. Throws when the database does not say.
    let isStillOpen: @Sendable () async throws -> Bool

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

    func open(_ route: Route, to request: Request, _ context: WebContext, for scope: Scope) async throws
        -> KeyedRequest
    {
        let caller = try await self.keys.caller(of: request, needs: scope)
        let query = try QueryParameters(request, known: route.parameters)
        return KeyedRequest(
            request: request, context: context, caller: caller, query: query, comparesTenants: self.comparesTenants)
    }

    /// The answer is 404 alike for a tenant that does not exist and for one that the caller may not reach. So it comes
    /// before any word about the query.
    func openTenant(_ route: Route, to request: Request, _ context: WebContext, for scope: Scope) async throws
        -> TenantRequest
    {
        let caller = try await self.keys.caller(of: request, needs: scope)
        let name = try context.parameters.require("tenant")
        guard let tenant = TenantID(rawValue: name), caller.reaches(tenant) || !self.comparesTenants else {
            throw Problem.notFound
        }
        let rest = try self.quota.take(caller.keyID)
        let keyed = KeyedRequest(
            request: request, context: context, caller: caller,
            query: try QueryParameters(request, known: route.parameters), comparesTenants: self.comparesTenants)
        return TenantRequest(
            keyed: keyed, tenant: tenant, reader: Reader(caller, naming: tenant), rest: rest,
            isStillOpen: { try await self.isOpen(to: request, tenant, for: scope) })
    }

    private func isOpen(to request: Request, _ tenant: TenantID, for scope: Scope) async throws -> Bool {
        do {
            let caller = try await self.keys.caller(of: request, needs: scope)
            return caller.reaches(tenant) || !self.comparesTenants
        } catch AccessError.unknownOrRevoked {
            return false
        }
    }
}
