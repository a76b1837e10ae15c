// SPDX-License-Identifier: Apache-2.0
// Where a back end fetches a login token for one of its users.

import Access
import Directory
import Foundation
import HTTPTypes
import Handoff
import Hummingbird
import Model
import NIOCore

struct LoginTokensController: Sendable {
    let handoff: Handoff
    let reasons: Reasons
    let bodies: RequestBytes
    let now: @Sendable () -> Date

    func create(_ asked: KeyedRequest) async throws -> Response {
        let (request, caller) = (asked.request, asked.caller)
        try MediaType.requireJSON(request.headers[values: .contentType])
        let body = try Self.read(try await self.bodies.read(request, asked.context, upTo: 4096))
        let tenant = try Self.tenant(body, caller)
        let user = UserKey(tenant: tenant, user: try UserID(body.userID))
        let reader = try asked.reader(naming: tenant, else: HandoffError.unknownUser)
        let wait = Self.wait(request)
        let token: HandedToken
        do throws(HandoffError) {
            token = try await self.handoff.loginToken(
                for: user, as: reader, wait: .seconds(wait ?? 0), now: self.now())
        } catch .pending(let seconds) {
            let why = await self.why(user, reader)
            return Self.answer(
                .accepted, "{\"status\":\"pending\",\"why\":\(why ?? "null")}", wait, [.retryAfter: "\(seconds)"])
        } catch .failed {
            throw Problem(
                409, "failed", "The user could not be provisioned; an operator must look.",
                why: await self.why(user, reader))
        }
        return Self.answer(.ok, Self.text(token), wait)
    }

    /// Returns the reason as JSON, for an app that shows it. It is no part of the token's promise: where it cannot be
    /// read, it is left out.
    private func why(_ user: UserKey, _ reader: Reader) async -> String? {
        guard let why = try? await self.reasons.why([user.user], of: user.tenant, as: reader)[user.user.rawValue],
            let data = try? JSONOutput.data(why)
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    // MARK: The answer

    private static func text(_ token: HandedToken) -> String {
        """
        {"login_token":\(JSONText.quoted(token.loginToken.reveal())),\
        "sip_username":\(JSONText.quoted(token.sipUsername)),\
        "expires_at":"\(RFC3339.text(token.expiresAt))",\
        "refresh_after":"\(RFC3339.text(token.refreshAfter))"}
        """
    }

    /// `wait`: the seconds that were granted, if the caller asked for any.
    private static func answer(
        _ status: HTTPResponse.Status, _ text: String, _ wait: Int?, _ more: HTTPFields = [:]
    ) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        headers.append(contentsOf: more)
        // RFC 7240 section 3.
        if let wait, let name = HTTPField.Name("preference-applied") { headers[name] = "wait=\(wait)" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    // MARK: The request

    /// `{"tenant":"acme","user_id":"u-1"}`. A caller with a tenant's key may leave the tenant out.
    private struct Body {
        var tenant: String?
        var userID: String
    }

    /// Refuses unknown members, because a misspelt one would be silently ignored. Refuses a member given twice.
    private static func read(_ bytes: [UInt8]) throws -> Body {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw Problem(400, "invalid_json", "The JSON body \(error.reason) (at byte \(error.offset)).")
        }
        guard case .object(let members) = value else {
            throw Problem(400, "invalid_json", "The body must be a JSON object.")
        }
        guard members.allSatisfy({ $0.key == "tenant" || $0.key == "user_id" }) else {
            throw Problem(400, "unknown_member", "The body may have only: tenant, user_id.")
        }
        guard let user = value["user_id"]?.string else { throw InvalidValue("user_id", "must be a string") }
        switch value["tenant"] {
        case nil, .null: return Body(tenant: nil, userID: user)
        case .string(let tenant): return Body(tenant: tenant, userID: user)
        case .bool, .number, .array, .object: throw InvalidValue("tenant", "must be a string")
        }
    }

    /// Returns the tenant that the body names, or else the caller's own.
    private static func tenant(_ body: Body, _ caller: Caller) throws -> TenantID {
        switch (body.tenant, caller.reach) {
        case (let name?, _): return try TenantID(name)
        case (nil, .tenant(let own)): return own
        case (nil, .allTenants): throw InvalidValue("tenant", "is needed with an operator's key")
        }
    }

    /// Returns the seconds that the caller lets us wait for a user who is not ready; nil when it does not say.
    private static func wait(_ request: Request) -> Int? {
        HTTPField.Name("prefer").flatMap { Preference.wait(request.headers[values: $0]) }
    }
}
