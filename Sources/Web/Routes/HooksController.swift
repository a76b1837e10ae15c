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

    func add(to router: Router<WebContext>) {
        router.post("v1/hooks/:hook") { request, context in try await self.answer(request, context) }
        router.refuseOthers("v1/hooks/:hook", allowed: .post)
    }

    private func answer(_ request: Request, _ context: WebContext) async throws -> Response {
        do {
            let receipt = try await self.receive(request, context)
            self.deliveries.add(DeliveryOutcome(receipt.status))
            return Self.answer(receipt).response
        } catch {
            self.deliveries.add(DeliveryOutcome(error))
            throw error
        }
    }

    /// No body is read for a hook that does not exist.
    private func receive(_ request: Request, _ context: WebContext) async throws -> Receipt {
        let hook = try context.parameters.require("hook")
        try await self.intake.requireHook(hook, now: self.now())
        let body = try await self.bodies.read(request, context, upTo: self.maximumBody)
        let headers = request.headers
        return try await self.intake.receive(
            Delivery(
                hook: hook,
                headers: { name in HTTPField.Name(name).map { headers[values: $0] } ?? [] },
                body: body, receivedAt: self.now()))
    }

    /// Returns `{"event_id","status"}`. A delivery of several users also has `"items":[{"event_id","status"}]`, in its
    /// own order.
    static func answer(_ receipt: Receipt) -> Answer {
        var body = "{\"event_id\":\"\(receipt.eventID)\",\"status\":\"\(receipt.status.rawValue)\""
        if receipt.items.count > 1 {
            let items = receipt.items.map { "{\"event_id\":\"\($0.eventID)\",\"status\":\"\($0.status.rawValue)\"}" }
            body += ",\"items\":[\(items.joined(separator: ","))]"
        }
        return Answer(
            status: receipt.status == .accepted ? 202 : 200, fields: [("content-type", "application/json")],
            body: body + "}")
    }
}
