// SPDX-License-Identifier: Apache-2.0
// A tenant's users over HTTP: lists of them, how many there are, and one of them.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model

struct UsersController: Sendable {
    let queries: Queries

    func list(_ asked: TenantRequest) async throws -> Response {
        let list = try UserQuery.list(asked.query, of: asked.tenant)
        if let form = try ListAnswer.exportForm(asked.keyed) {
            return UserExport(users: self.queries.users, list: list, form: form, asked: asked).response
        }
        let limit = try asked.query.limit()
        let place = try Self.place(asked.query, of: list)
        let users = self.queries.users
        let page = try await CallerPresence.required {
            try await users.page(of: list, after: place, limit: limit, as: asked.reader)
        }
        let next = page.next?.cursor(of: list)
        return try JSONAnswer.response(Page(data: page.users, next: next), to: asked.request, next: next)
    }

    func count(_ asked: TenantRequest) async throws -> Response {
        let list = UserList(of: asked.tenant, try UserQuery.filter(asked.query))
        let users = self.queries.users
        let count = try await CallerPresence.required { try await users.count(list, as: asked.reader) }
        return try JSONAnswer.response(count, to: asked.request)
    }

    func show(_ asked: TenantRequest) async throws -> Response {
        let user = try asked.user()
        let users = self.queries.users
        let entry = try await CallerPresence.required { try await users.show(user, as: asked.reader) }
        guard let entry else { throw Problem.notFound }
        return try JSONAnswer.response(entry, to: asked.request)
    }

    private static func place(_ query: QueryParameters, of list: UserList) throws(Problem) -> UserPlace? {
        guard let text = query["after"] else { return nil }
        do {
            return try UserPlace(text, of: list)
        } catch {
            throw Problem(400, "invalid_cursor", "\(error.field) \(error.reason)")
        }
    }
}
