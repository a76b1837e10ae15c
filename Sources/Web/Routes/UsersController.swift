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
        let tenant = try await self.tenant(request, context)
        let limit = try Self.limit(request)
        let status = try Self.status(request)
        let after = try request.uri.queryParameters["after"].map { try Cursor.read(String($0)) }
        let page = try await self.users.list(of: tenant, after: after, limit: limit, status: status)
        return try JSONAnswer.response(Page(data: page.users, next: page.next.map(Cursor.text)))
    }

    private func show(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try await self.user(request, context)
        guard let entry = try await self.users.show(user) else { throw Problem.notFound }
        return try JSONAnswer.response(entry)
    }

    private func timeline(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try await self.user(request, context)
        guard try await self.users.show(user) != nil else { throw Problem.notFound }
        return try JSONAnswer.response(Page(data: try await self.users.timeline(user), next: nil))
    }

    // MARK: The request

    /// Returns the tenant in the path. The answer is 404 alike for a tenant that does not exist and for one that the
    /// caller may not reach.
    private func tenant(_ request: Request, _ context: WebContext) async throws -> TenantID {
        let caller = try await self.keys.caller(of: request, needs: .usersRead)
        let name = try context.parameters.require("tenant")
        guard let tenant = TenantID(rawValue: name), caller.reaches(tenant) else { throw Problem.notFound }
        return tenant
    }

    private func user(_ request: Request, _ context: WebContext) async throws -> UserKey {
        let tenant = try await self.tenant(request, context)
        guard let name = try context.parameters.require("user").removingPercentEncoding,
            let user = UserID(rawValue: name)
        else { throw Problem.notFound }
        return UserKey(tenant: tenant, user: user)
    }

    /// Returns how many users a page has, 50 by default.
    private static func limit(_ request: Request) throws -> Int {
        guard let text = request.uri.queryParameters["limit"] else { return 50 }
        guard let number = Int(text), (1...200).contains(number) else {
            throw Problem(400, "invalid_value", "limit must be between 1 and 200")
        }
        return number
    }

    private static func status(_ request: Request) throws -> UserStatus? {
        guard let text = request.uri.queryParameters["status"] else { return nil }
        guard let status = UserStatus(rawValue: String(text)) else {
            let all = UserStatus.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(400, "invalid_value", "status must be one of: \(all)")
        }
        return status
    }

    /// `{"data":[…],"next":"…"}`; `next` is null on the last page.
    private struct Page<Element: Encodable>: Encodable {
        var data: [Element]
        var next: String?

        enum CodingKeys: CodingKey { case data, next }

        /// By hand, because the synthesised form leaves a `next` of nil out.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.data, forKey: .data)
            try container.encode(self.next, forKey: .next)
        }
    }
}
