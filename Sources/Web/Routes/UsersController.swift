// SPDX-License-Identifier: Apache-2.0
// A tenant's users over HTTP: list them, show one, and show the timeline of one.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model

struct UsersController: Sendable {
    let keys: Authenticator
    let users: Users

    func add(to router: Router<WebContext>) {
        let group = router.group("v1/tenants/:tenant/users")
        group.get { request, context in try await self.list(request, context) }
        group.get(":user") { request, context in try await self.show(request, context) }
        group.get(":user/timeline") { request, context in try await self.timeline(request, context) }
        for rest in ["", "/:user", "/:user/timeline"] {
            router.refuseOthers(RouterPath("v1/tenants/:tenant/users" + rest), allowed: .get)
        }
    }

    private func list(_ request: Request, _ context: WebContext) async throws -> Response {
        let (tenant, key) = try await self.tenant(request, context)
        let query = try QueryParameters(request, known: ["limit", "after", "status"])
        let limit = try Self.limit(query)
        let status = try Self.status(query)
        let after = try Self.after(query, of: tenant, status: status)
        let users = self.users
        let page = try await CallerPresence.required {
            try await users.list(of: tenant, after: after, limit: limit, status: status, by: key)
        }
        return try JSONAnswer.response(Page(data: page.users, next: page.next?.text))
    }

    private func show(_ request: Request, _ context: WebContext) async throws -> Response {
        let (user, key) = try await self.user(request, context)
        let users = self.users
        let entry = try await CallerPresence.required { try await users.show(user, by: key) }
        guard let entry else { throw Problem.notFound }
        return try JSONAnswer.response(entry)
    }

    private func timeline(_ request: Request, _ context: WebContext) async throws -> Response {
        let (user, key) = try await self.user(request, context)
        let users = self.users
        let life = try await CallerPresence.required { try await users.life(of: user, by: key) }
        guard let life else { throw Problem.notFound }
        return try JSONAnswer.response(Page(data: life.timeline, next: nil))
    }

    // MARK: The request

    /// Returns the tenant in the path, and the id of the caller's key. The answer is 404 alike for a tenant that does
    /// not exist and for one that the caller may not reach.
    private func tenant(
        _ request: Request, _ context: WebContext
    ) async throws -> (tenant: TenantID, key: String) {
        let caller = try await self.keys.caller(of: request, needs: .usersRead)
        let name = try context.parameters.require("tenant")
        guard let tenant = TenantID(rawValue: name), caller.reaches(tenant) else { throw Problem.notFound }
        return (tenant, caller.keyID)
    }

    private func user(
        _ request: Request, _ context: WebContext
    ) async throws -> (user: UserKey, key: String) {
        let (tenant, key) = try await self.tenant(request, context)
        _ = try QueryParameters(request, known: [])
        guard let name = try context.parameters.require("user").removingPercentEncoding,
            let user = UserID(rawValue: name)
        else { throw Problem.notFound }
        return (UserKey(tenant: tenant, user: user), key)
    }

    /// Returns how many users a page has, 50 by default.
    private static func limit(_ query: QueryParameters) throws -> Int {
        guard let text = query["limit"] else { return 50 }
        guard let number = Int(text), (1...200).contains(number) else {
            throw Problem(400, "invalid_value", "limit must be between 1 and 200")
        }
        return number
    }

    private static func status(_ query: QueryParameters) throws -> UserStatus? {
        guard let text = query["status"] else { return nil }
        guard let status = UserStatus(rawValue: text) else {
            let all = UserStatus.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(400, "invalid_value", "status must be one of: \(all)")
        }
        return status
    }

    private static func after(_ query: QueryParameters, of tenant: TenantID, status: UserStatus?) throws -> UserID? {
        guard let text = query["after"] else { return nil }
        do {
            return try UserCursor.user(text, of: tenant, status: status)
        } catch {
            throw Problem(400, "invalid_cursor", "\(error.field) \(error.reason)")
        }
    }

    /// `{"data":[…],"next":"…"}`; `next` is null on the last page.
    private struct Page<Element: Encodable>: Encodable {
        var data: [Element]
        @OrNull var next: String?
    }
}
