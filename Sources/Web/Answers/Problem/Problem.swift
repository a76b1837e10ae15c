// SPDX-License-Identifier: Apache-2.0
// An error as HTTP tells it: the one place where errors become statuses and problem bodies (RFC 9457).

import Access
import HTTPTypes
import Handoff
import Hummingbird
import Intake
import Logging
import Model
import NIOCore
import NIOHTTP1
import Postgres

/// The answer to a request that cannot be served: a status, and why.
struct Problem: Error, Equatable {
    var status: Int
    /// Stable, for programs.
    var code: String
    /// For people. Names what is wrong, never a value.
    var detail: String
    /// When to ask again, in seconds.
    var retryAfter: Int?
    /// The methods that are allowed, for 405.
    var allow: String?
    /// Why the user stands there, as JSON; nil: the problem is about no user.
    var why: String?

    init(
        _ status: Int, _ code: String, _ detail: String, retryAfter: Int? = nil, allow: String? = nil,
        why: String? = nil
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.allow = allow
        self.why = why
    }

    static let notFound = Problem(404, "not_found", "There is nothing here.")
    static let unreadableBody = Problem(400, "unreadable_body", "The body could not be read to its end.")
    static let unknownExpectation = Problem(417, "expectation_failed", "Expect may only be 100-continue.")
    static let unknownMethod = Problem(501, "unknown_method", "This method is not known here.")
    /// The memory for bodies that are still arriving is used up.
    static let busy = Problem(503, "busy", "Too many bodies are arriving at once. Send again.", retryAfter: 5)

    /// Makes the problem of an error that the service foresees. Nil for any other.
    init?(_ error: any Error) {
        switch error {
        case let error as Problem: self = error
        case let error as IntakeError: self.init(error)
        case let error as AccessError: self.init(error)
        case let error as HandoffError: self.init(error)
        case let error as InvalidValue: self.init(422, "invalid_value", "\(error.field) \(error.reason)")
        case is NIOTooManyBytesError: self.init(413, "body_too_large", "The body is larger than is accepted here.")
        case is PoolShares.TooMany: self = Self.tooManyRequests(after: 1)
        case is CallerHasLeft: self.init(499, "caller_left", "The caller has closed the connection.")
        case let error as PostgresError where error.isUnavailable: self = Self.unavailable
        case let error as PostgresError where error.isTooSlow:
            self.init(503, "unavailable", "The database took too long for this. Try again.", retryAfter: 5)
        case let error as PostgresError where error.isRefusedForGood: self = Self.refusedValue
        case HTTPParserError.headerOverflow:
            self.init(431, "head_too_large", "The head may have 100 fields, 8192 bytes in each, and 32768 in all.")
        case is HTTPParserError: self.init(400, "bad_request", "This is not a request of HTTP/1.1.")
        case let error as any HTTPResponseError:
            switch error.status.code {
            case 404: self = Self.notFound
            case 405: self.init(405, "method_not_allowed", "This method is not allowed here.")
            case let code: self.init(code, "bad_request", "The request is not acceptable.")
            }
        default: return nil
        }
    }

    private static let unavailable = Problem(
        503, "unavailable", "The database cannot be reached; nothing was changed. Try again.", retryAfter: 5)

    private static let refusedValue = Problem(
        422, "invalid_value", "The database does not take a value of this request.")

    private static let tooManyUnknown = Problem(
        503, "unavailable", "Too many requests without a known key or hook are under way. Try again.", retryAfter: 1)

    /// Too many look-ups of unknown keys and hooks are under way, and the database is well.
    var isOfLookUps: Bool { self == Self.tooManyUnknown }

    private static func tooManyRequests(after seconds: Int) -> Problem {
        Problem(
            429, "too_many_requests", "The key or its tenant has too many requests under way. Ask again later.",
            retryAfter: seconds)
    }

    private init(_ error: IntakeError) {
        switch error {
        case .unknownHook: self.init(404, "unknown_hook", "There is no such hook.")
        case .disabled:
            self.init(
                503, "source_disabled", "An operator has stopped this source; nothing was stored. Send it again later.",
                retryAfter: 60)
        case .badProof(let failure): self.init(401, "bad_proof", failure.reason)
        case .unusable(.notJSON(let reason)): self.init(400, "invalid_json", "The body \(reason)")
        case .unusable(.wrongValue(let value)):
            self.init(422, "invalid_payload", "\(value.field) \(value.reason)")
        case .unusable(.tenantNotAllowed(let place)):
            self.init(422, "tenant_not_allowed", "\(place) names a tenant this source may not speak for")
        case .deliveryReused:
            self.init(
                409, "delivery_id_reused", "webhook-id was used before for another event; each event needs its own")
        case .busy(let seconds):
            self.init(
                503, "busy", "Too many deliveries like this one are under way; it was not stored. Send it again.",
                retryAfter: seconds)
        case .unavailable: self = Self.unavailable
        case .tooManyUnknown: self = Self.tooManyUnknown
        case .keysUnavailable:
            self.init(
                503, "unavailable", "The keys that the sender publishes cannot be fetched now. Send it again.",
                retryAfter: 60)
        }
    }

    private init(_ error: AccessError) {
        switch error {
        case .missing: self.init(401, "key_missing", "The Authorization header with a Bearer key is missing.")
        case .malformed: self.init(401, "key_malformed", "The Authorization header holds no well-formed Bearer key.")
        case .unknownOrRevoked: self.init(401, "key_unknown", "The key is unknown, expired or revoked.")
        case .unavailable: self = Self.unavailable
        case .tooManyUnknown: self = Self.tooManyUnknown
        }
    }

    private init(_ error: HandoffError) {
        switch error {
        case .unknownUser: self.init(404, "unknown_user", "There is no such user.")
        case .pending(let seconds): self.init(202, "pending", "The user is being provisioned.", retryAfter: seconds)
        case .failed: self.init(409, "failed", "The user could not be provisioned; an operator must look.")
        case .revoked: self.init(410, "revoked", "The user's credential is revoked.")
        case .refusedValue: self = Self.refusedValue
        case .providerUnavailable(let seconds):
            self.init(503, "provider_unavailable", "The provider gave no token. Try again.", retryAfter: seconds)
        case .tooManyTokens(let seconds):
            self.init(
                429, "too_many_tokens", "The tenant asks for too many login tokens at once. Ask again later.",
                retryAfter: seconds)
        case .tooManyRequests(let seconds): self = Self.tooManyRequests(after: seconds)
        case .unavailable: self = Self.unavailable
        }
    }

    /// Written by hand, because a status made from a number has no phrase.
    private static let titles = [
        202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 413: "Content Too Large",
        415: "Unsupported Media Type", 417: "Expectation Failed", 422: "Unprocessable Content",
        429: "Too Many Requests", 431: "Request Header Fields Too Large", 499: "Client Closed Request",
        500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
    ]

    func answer(requestID: String) -> Answer {
        let title = Self.titles[self.status] ?? "Error"
        var fields = [("content-type", "application/problem+json")]
        if let retryAfter { fields.append(("retry-after", "\(retryAfter)")) }
        if let allow { fields.append(("allow", allow)) }
        if self.status == 401 && self.code.hasPrefix("key") { fields.append(("www-authenticate", "Bearer")) }
        return Answer(
            status: self.status, fields: fields,
            body: """
                {"type":"/problems/\(self.code)","title":\(JSONText.quoted(title)),"status":\(self.status),\
                "detail":\(JSONText.quoted(self.detail)),"code":"\(self.code)",\
                "request_id":\(JSONText.quoted(requestID))\(self.why.map { ",\"why\":\($0)" } ?? "")}

                """,
            isHeldBack: AnswerDelay.holds(self))
    }

    /// Returns the problem for any error, and logs it. An unforeseen error is logged by its type only, because its text
    /// may quote anything. `source` is the one that the request is about, where that is known.
    static func of(
        _ error: any Error, requestID: String, source: SourceID? = nil, logger: Logger
    ) -> Problem {
        if let known = error as? ErrorOfSource {
            return Self.of(known.error, requestID: requestID, source: known.source, logger: logger)
        }
        var facts: Logger.Metadata = ["request_id": "\(requestID)"]
        if let source { facts["source"] = "\(source.rawValue.lowercase)" }
        if let problem = Problem(error) {
            facts["status"] = "\(problem.status)"
            facts["code"] = "\(problem.code)"
            if problem.status >= 500 {
                logger.warning("request not served", metadata: facts)
            } else if problem.status >= 400 {
                logger.info("request refused", metadata: facts)
            }
            return problem
        }
        facts["error"] = "\(type(of: error))"
        logger.error("request failed", metadata: facts)
        return Problem(500, "internal", "Something went wrong here.")
    }
}
