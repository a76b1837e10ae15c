// SPDX-License-Identifier: Apache-2.0
// A tenant's users over HTTP: list, show, and the life of one.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore

struct UsersController: Sendable {
    let keys: Authenticator
    let users: Users

    func add(to router: Router<BasicRequestContext>) {
        let group = router.group("v1/tenants/:tenant/users")
        group.get { request, context in try await self.list(request, context) }
        group.get(":user") { request, context in
            let user = try await self.user(request, context)
            guard let entry = try await self.users.show(user) else { throw Problem.notFound }
            return try JSONAnswer.response(entry)
        }
        group.get(":user/timeline") { request, context in
            let user = try await self.user(request, context)
            guard try await self.users.show(user) != nil else { throw Problem.notFound }
            return try JSONAnswer.response(Page(data: try await self.users.timeline(user), next: nil))
        }
        for rest in ["", "/:user", "/:user/timeline"] {
            router.refuseOthers(RouterPath("v1/tenants/:tenant/users" + rest), allowed: .get)
        }
    }

    private struct Page<Element: Encodable>: Encodable {
        var data: [Element]
        var next: String?

        enum CodingKeys: CodingKey { case data, next }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.data, forKey: .data)
            try container.encode(self.next, forKey: .next)
        }
    }

    private func list(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let tenant = try await self.tenant(request, context)
        let query = request.uri.queryParameters
        var limit = 50
        if let text = query["limit"] {
            guard let number = Int(text), (1...200).contains(number) else {
                throw Problem(400, "invalid_value", "limit must be between 1 and 200")
            }
            limit = number
        }
        var status: UserStatus?
        if let text = query["status"] {
            guard let known = UserStatus(rawValue: String(text)) else {
                let all = UserStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(400, "invalid_value", "status must be one of: \(all)")
            }
            status = known
        }
        let after = try query["after"].map { try Cursor.read(String($0)) }
        let page = try await self.users.list(of: tenant, after: after, limit: limit, status: status)
        return try JSONAnswer.response(Page(data: page.users, next: page.next.map(Cursor.text)))
    }

    private func tenant(_ request: Request, _ context: BasicRequestContext) async throws -> TenantID {
        let caller = try await self.keys.caller(of: request, needs: .usersRead)
        let name = try context.parameters.require("tenant")
        guard let tenant = TenantID(rawValue: name), caller.reaches(tenant) else { throw Problem.notFound }
        return tenant
    }

    private func user(_ request: Request, _ context: BasicRequestContext) async throws -> UserKey {
        let tenant = try await self.tenant(request, context)
        guard let name = try context.parameters.require("user").removingPercentEncoding,
            let user = UserID(rawValue: name)
        else { throw Problem.notFound }
        return UserKey(tenant: tenant, user: user)
    }
}

/// Where the next page begins: the last user id, opaque. It is only ever used within the tenant of the request.
enum Cursor {
    static func text(_ user: UserID) -> String {
        Data(user.rawValue.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    static func read(_ text: String) throws(Problem) -> UserID {
        var padded = text.replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let name = String(validating: data, as: UTF8.self),
            let user = UserID(rawValue: name)
        else { throw Problem(400, "invalid_cursor", "after must be the next of an earlier page") }
        return user
    }
}

enum JSONAnswer {
    static func response(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}
