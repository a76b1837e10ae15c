// SPDX-License-Identifier: Apache-2.0
// Webhooks that `HookFastPath` leaves to the router: read the bytes once, hand them to intake, answer when durable.

import Foundation
import HTTPTypes
import Hummingbird
import Intake
import Logging
import Model
import Telemetry

/// Takes webhooks in. `HookFastPath` uses its parts and its answer.
struct HooksController: Sendable {
    let intake: Intake
    /// Bytes of a body at most.
    let maximumBody: Int
    let bodies: RequestBytes
    let logger: Logger
    let deliveries: Series<DeliveryOutcome, Counter>
    let now: @Sendable () -> Date
    /// For the fast path; the router's answers get their Date field from Hummingbird.
    let date = DateField()

    /// A sender finds out whether a hook is there. Where its source knows no such request, or there is no such hook,
    /// the answer is that of any other path.
    func handshake(_ request: Request, _ context: WebContext) async throws -> Response {
        let method = request.method
        let hook = try context.parameters.require("hook")
        let known: Handshake.Answer?
        do {
            known = try await self.intake.handshake(
                method.rawValue, at: hook, headers: Self.values(of: request.headers), now: self.now(),
                lengths: { [headers = request.headers] in RefusedHook.lengths(of: headers) })
        } catch {
            throw self.named(error, at: hook)
        }
        guard let answer = known else { return try MethodRefusal(allowed: [.post]).answer(to: method) }
        let fields = answer.headers.map { ($0.name, $0.value) }
        return Answer(status: answer.status, fields: fields, body: answer.body ?? "").response
    }

    /// Returns all values of a header, by its lower-case name.
    private static func values(of headers: HTTPFields) -> @Sendable (String) -> [String] {
        { name in HTTPField.Name(name).map { headers[values: $0] } ?? [] }
    }

    func answer(_ request: Request, _ context: WebContext) async throws -> Response {
        let hook = try context.parameters.require("hook")
        do {
            let receipt = try await self.receive(request, context, at: hook)
            self.deliveries.add(DeliveryOutcome(receipt.status))
            return Self.answer(receipt).response
        } catch {
            self.deliveries.add(DeliveryOutcome(error))
            self.intake.countRefused(RefusedHook.refusal(of: error), at: hook, now: self.now()) {
                RequestForm(
                    headers: RefusedHook.lengths(of: request.headers),
                    body: request.headers[.contentLength].flatMap { Int($0) })
            }
            throw self.named(error, at: hook)
        }
    }

    /// Returns the error with the source of the hook, where the hook is known.
    private func named(_ error: any Error, at hook: String) -> any Error {
        self.intake.source(of: hook).map { ErrorOfSource(error: error, source: $0) } ?? error
    }

    /// No body is read for a hook that does not exist, nor for one whose source is disabled.
    private func receive(_ request: Request, _ context: WebContext, at hook: String) async throws -> Receipt {
        let known = try await self.intake.requireHook(hook, now: self.now())
        let body = try await self.bodies.read(request, context, upTo: known.maximumBody ?? self.maximumBody)
        return try await self.intake.receive(
            Delivery(
                hook: hook, headers: Self.values(of: request.headers), body: body, receivedAt: self.now(),
                lengths: { [headers = request.headers] in RefusedHook.lengths(of: headers) }))
    }

    /// Returns `{"event_id","status"}`. A delivery of several users also has `"items":[{"event_id","status"}]`, in its
    /// own order. Where the sender understands another answer, it gets that one.
    static func answer(_ receipt: Receipt) -> Answer {
        guard let wanted = receipt.answer else {
            return Answer(
                status: receipt.status == .accepted ? 202 : 200, fields: [("content-type", "application/json")],
                body: Self.body(receipt))
        }
        guard wanted.status != 204 else { return Answer(status: 204, fields: [], body: "") }
        return Answer(
            status: wanted.status, fields: [("content-type", wanted.contentType ?? "application/json")],
            body: wanted.body ?? Self.body(receipt))
    }

    private static func body(_ receipt: Receipt) -> String {
        var body = "{\"event_id\":\"\(receipt.eventID)\",\"status\":\"\(receipt.status.rawValue)\""
        if (2...Self.maximumItems).contains(receipt.items.count) {
            let items = receipt.items.map { "{\"event_id\":\"\($0.eventID)\",\"status\":\"\($0.status.rawValue)\"}" }
            body += ",\"items\":[\(items.joined(separator: ","))]"
        }
        return body + "}"
    }

    /// Items that an answer lists at most; no canonical event has more.
    private static let maximumItems = 1000
}
