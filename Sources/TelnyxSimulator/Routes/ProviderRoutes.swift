// SPDX-License-Identifier: Apache-2.0
// The provider's routes: they check the key, read the request, apply a fault, and respond.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

struct ProviderRoutes: Sendable {
    let account: Account
    let check: KeyCheck

    func add(to router: Router<BasicRequestContext>) {
        router.get("v2/credential_connections/:id") { request, context in
            guard self.check.accepts(request) else { return KeyCheck.refusal }
            return Self.response(self.account.connection(try context.parameters.require("id")))
        }
        let group = router.group("v2/telephony_credentials")
        group.post { request, _ in try await self.respond(.create, request) { self.account.create($0, lag: $1) } }
        group.get { request, _ in try await self.respond(.list, request) { _, _ in self.list(request) } }
        group.get(":id") { request, context in
            let id = try context.parameters.require("id")
            return try await self.respond(.retrieve, request) { _, _ in self.account.retrieve(id) }
        }
        group.patch(":id") { request, context in
            let id = try context.parameters.require("id")
            return try await self.respond(.update, request) { fields, _ in self.account.update(id, fields) }
        }
        group.delete(":id") { request, context in
            let id = try context.parameters.require("id")
            return try await self.respond(.delete, request) { _, _ in self.account.delete(id) }
        }
        group.post(":id/token") { request, context in
            let id = try context.parameters.require("id")
            return try await self.respond(.token, request) { _, _ in self.account.token(id) }
        }
    }

    /// Checks the key and the limit of calls, and does the call. The response says what is left of the limit.
    private func respond(
        _ operation: Fault.Operation, _ request: Request, _ act: (CredentialFields, Int?) throws -> SimulatedResponse
    ) async throws -> Response {
        self.account.heard(operation)
        guard self.check.accepts(request) else { return KeyCheck.refusal }
        guard let limit = self.account.spendCall() else { return try await self.answer(operation, request, act) }
        var response =
            limit.remaining < 0
            ? Self.response(.tooManyRequests) : try await self.answer(operation, request, act)
        for (name, value) in limit.headers {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }

    /// Reads the body, and does the call, or what a fault makes of it.
    private func answer(
        _ operation: Fault.Operation, _ request: Request, _ act: (CredentialFields, Int?) throws -> SimulatedResponse
    ) async throws -> Response {
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
        guard let fault = next.fault else {
            let response = try act(fields, next.lag)
            self.account.answered(response.body.utf8.count)
            return Self.response(response)
        }
        return try await self.misbehave(fault, lag: next.lag, fields, act)
    }

    private func list(_ request: Request) -> SimulatedResponse {
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

    private static func badPage(_ detail: String) -> SimulatedResponse { .error(400, "10015", "Bad Request", detail) }

    static func response(_ response: SimulatedResponse) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = response.contentType
        if let name = HTTPField.Name("x-request-id") { headers[name] = UUID().uuidString.lowercased() }
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(
            status: .init(code: response.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: response.body)))
    }
}
