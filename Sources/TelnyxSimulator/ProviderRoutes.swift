// SPDX-License-Identifier: Apache-2.0
// The provider's routes: who may call, what the request says, what goes wrong, what is answered.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

struct ProviderRoutes: Sendable {
    let account: Account
    let apiKeys: Set<String>

    func add(to router: Router<BasicRequestContext>) {
        let group = router.group("v2/telephony_credentials")
        group.post { request, _ in try await self.answer(.create, request) { self.account.create($0, lag: $1) } }
        group.get { request, _ in try await self.answer(.list, request) { _, _ in self.list(request) } }
        group.get(":id") { request, context in
            let id = try context.parameters.require("id")
            return try await self.answer(.retrieve, request) { _, _ in self.account.retrieve(id) }
        }
        group.patch(":id") { request, context in
            let id = try context.parameters.require("id")
            return try await self.answer(.update, request) { fields, _ in self.account.update(id, fields) }
        }
        group.delete(":id") { request, context in
            let id = try context.parameters.require("id")
            return try await self.answer(.delete, request) { _, _ in self.account.delete(id) }
        }
        group.post(":id/token") { request, context in
            let id = try context.parameters.require("id")
            return try await self.answer(.token, request) { _, _ in self.account.token(id) }
        }
    }

    /// Checks the key, reads the body, applies a fault if a rule says so.
    private func answer(
        _ operation: Fault.Operation, _ request: Request, _ act: (CredentialFields, Int?) throws -> SimulatedAnswer
    ) async throws -> Response {
        self.account.heard(operation)
        guard self.isAllowed(request) else {
            return Self.response(
                .error(401, "10009", "Authentication failed", "Could not understand the provided credentials."))
        }
        var fields = CredentialFields()
        if operation == .create || operation == .update {
            let body = try await request.body.collect(upTo: 65_536)
            guard let decoded = try? JSONDecoder().decode(CredentialFields.self, from: Data(body.readableBytesView))
            else {
                return Self.response(.error(400, "10015", "Bad Request", "The request body is not valid JSON."))
            }
            fields = decoded
        }
        let next = self.account.fault(for: operation, name: fields.name, connection: fields.connection_id)
        guard let fault = next.fault else { return Self.response(try act(fields, next.lag)) }
        return try await self.misbehave(fault, lag: next.lag, fields, act)
    }

    private func misbehave(
        _ fault: Fault, lag: Int?, _ fields: CredentialFields,
        _ act: (CredentialFields, Int?) throws -> SimulatedAnswer
    ) async throws -> Response {
        let wait = Duration.milliseconds(fault.milliseconds ?? 0)
        switch fault.kind {
        case .delay:
            try await Task.sleep(for: wait)
            return Self.response(try act(fields, lag))
        case .listLag:
            return Self.response(try act(fields, lag))
        case .dropAfterCommit:
            _ = try act(fields, lag)
            return Response(status: .ok, body: .init(contentLength: 1) { _ in throw ConnectionDropped() })
        case .errorAfterCommit:
            _ = try act(fields, lag)
            return Self.response(.error(500, "10007", "Unexpected error", "An unexpected error occurred."))
        case .delayAfterCommit:
            let answer = try act(fields, lag)
            try await Task.sleep(for: wait)
            return Self.response(answer)
        case .lateCreate:
            self.account.createLate(fields, lag: lag, after: wait)
            return Self.response(.error(504, "10008", "Gateway timeout", "The request timed out."))
        case .rateLimited:
            var answer = SimulatedAnswer.error(429, "10011", "Too many requests", "You have exceeded the rate limit.")
            answer.headers = [
                ("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", Self.reset(fault)),
            ]
            return Self.response(answer)
        case .empty500:
            return Response(status: .internalServerError)
        case .garbage:
            let answer = try act(fields, lag)
            return Self.response(
                SimulatedAnswer(status: answer.status, body: "<html>oops</html>", contentType: "text/html"))
        case .status:
            return Self.response(.error(fault.status ?? 503, "10037", "Service unavailable", "Try again later."))
        }
    }

    /// The vendor's pages do not agree on what the header says.
    private static func reset(_ fault: Fault) -> String {
        let wait = Double(fault.milliseconds ?? 1000) / 1000
        let now = Date().timeIntervalSince1970
        return switch fault.reset {
        case "epoch": "\(Int(now + wait))"
        case "epoch_ms": "\(Int((now + wait) * 1000))"
        case "past": "\(Int(now - wait))"
        default: "\(Int(wait))"
        }
    }

    private func list(_ request: Request) -> SimulatedAnswer {
        var filter = ListFilter()
        var (page, size) = (1, 50)
        for (key, value) in FormQuery.items(request.uri.query ?? "") {
            switch key {
            case "filter[name]": filter.name = value
            case "filter[tag]": filter.tag = value
            case "filter[status]": filter.status = value
            case "filter[resource_id]": filter.resourceID = value
            case "filter[sip_username]": filter.sipUsername = value
            case "page[number]":
                guard let number = Int(value), number >= 1 else {
                    return Self.badPage("page[number] must be at least 1.")
                }
                page = number
            case "page[size]":
                guard let number = Int(value), (1...250).contains(number) else {
                    return Self.badPage("page[size] must be between 1 and 250.")
                }
                size = number
            case _ where key.hasPrefix("filter["):
                return .error(400, "10031", "Invalid request filter", "\(key) is not a filter of this resource.")
            default: continue
            }
        }
        return self.account.list(filter, page: page, size: size)
    }

    private static func badPage(_ detail: String) -> SimulatedAnswer { .error(400, "10015", "Bad Request", detail) }

    private func isAllowed(_ request: Request) -> Bool {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "), header.utf8.count > 7 else {
            return false
        }
        return self.apiKeys.isEmpty || self.apiKeys.contains(String(header.dropFirst(7)))
    }

    static func response(_ answer: SimulatedAnswer) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = answer.contentType
        if let name = HTTPField.Name("x-request-id") { headers[name] = UUID().uuidString.lowercased() }
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: answer.body)))
    }
}

private struct ConnectionDropped: Error {}

/// application/x-www-form-urlencoded, as the vendor's SDKs send their queries: `+` is a space.
enum FormQuery {
    static func items(_ query: String) -> [(String, String)] {
        query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (self.decoded(parts[0]), parts.count > 1 ? self.decoded(parts[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = text.replacing("+", with: " ")
        return String(spaced).removingPercentEncoding ?? String(spaced)
    }
}
