// SPDX-License-Identifier: Apache-2.0
// The life of one user over HTTP: why it stands there, its steps, and the proof that it has exactly one credential.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model

struct LifeController: Sendable {
    let queries: Queries
    let verify: @Sendable (UserKey, Reader) async throws -> Proof?
    /// The provider is asked for a tenant so often in a minute: its limits are everybody's.
    private let quota: Quota

    init(queries: Queries, verify: @escaping @Sendable (UserKey, Reader) async throws -> Proof?) {
        self.queries = queries
        self.verify = verify
        var policy = Quota.Policy()
        policy.requests = 30
        self.quota = Quota(policy)
    }

    /// A user who does not exist has a reason too: what the tenant's sources were refused.
    func why(_ asked: TenantRequest) async throws -> Response {
        let user = try asked.user()
        let reasons = self.queries.reasons
        let why = try await CallerPresence.required { try await reasons.why(user, as: asked.reader) }
        return try JSONAnswer.response(
            UserReason(tenant: user.tenant.rawValue, userID: user.user.rawValue, why: why), to: asked.request)
    }

    func timeline(_ asked: TenantRequest) async throws -> Response {
        let user = try asked.user()
        let timelines = self.queries.timelines
        let read = { @Sendable (after: String?, limit: Int) async throws -> TimelinePage in
            let page = try await timelines.page(user, after: after, limit: limit, as: asked.reader)
            guard let page else { throw Problem.notFound }
            return page
        }
        let export = try await ListAnswer.export(asked.keyed, named: "timeline") { after, limit in
            let page = try await read(after, limit)
            return (page.entries, page.next)
        }
        if let export { return export }
        let (limit, after) = (try asked.query.limit(), asked.query["after"])
        let page = try await Cursors.checked { try await read(after, limit) }
        return try JSONAnswer.response(
            Steps(data: page.entries, next: page.next, logFrom: page.logFrom), to: asked.request, next: page.next)
    }

    func proof(_ asked: TenantRequest) async throws -> Response {
        let user = try asked.user()
        let proofs = self.queries.proofs
        let proof = try await CallerPresence.required { try await proofs.ledger(user, as: asked.reader) }
        guard let proof else { throw Problem.notFound }
        return try JSONAnswer.ofMoment(proof)
    }

    func verify(_ asked: TenantRequest) async throws -> Response {
        let user = try asked.user()
        _ = try self.quota.take(asked.tenant.rawValue)
        let verify = self.verify
        let proof = try await CallerPresence.required { try await verify(user, asked.reader) }
        guard let proof else { throw Problem.notFound }
        return try JSONAnswer.ofMoment(proof)
    }

    private struct UserReason: Encodable {
        var tenant: String
        var userID: String
        var why: Why

        enum CodingKeys: String, CodingKey {
            case tenant, why
            case userID = "user_id"
        }
    }

    private struct Steps: Encodable {
        var data: [TimelineEntry]
        @OrNull var next: String?
        /// Since when every step of a job is there.
        @OrNull var logFrom: Date?

        enum CodingKeys: String, CodingKey {
            case data, next
            case logFrom = "log_from"
        }
    }
}

/// Reads of pages: a cursor of another list is the caller's mistake, in the URL.
enum Cursors {
    static func checked<Value: Sendable>(_ read: @escaping @Sendable () async throws -> Value) async throws -> Value {
        do {
            return try await CallerPresence.required(by: read)
        } catch let error as InvalidValue where error.field == "after" {
            throw Problem(400, "invalid_cursor", "\(error.field) \(error.reason)")
        }
    }
}
