// SPDX-License-Identifier: Apache-2.0
// Where webhooks arrive. The hot path: collect the bytes once, hand them to intake, answer when it is durable.

import Foundation
import HTTPTypes
import Hummingbird
import Intake
import Model
import NIOCore

struct HooksController: Sendable {
    let intake: Intake
    /// Bytes of a body at most.
    let maximumBody: Int
    let now: @Sendable () -> Date

    func add(to router: Router<BasicRequestContext>) {
        router.post("v1/hooks/:hook") { request, context in
            try await self.receive(request, hook: try context.parameters.require("hook"))
        }
        router.refuseOthers("v1/hooks/:hook", allowed: .post)
    }

    private func receive(_ request: Request, hook: String) async throws -> Response {
        let body = try await RequestBytes.read(request, upTo: self.maximumBody)
        let headers = request.headers
        let receipt = try await self.intake.receive(
            Delivery(
                hook: hook,
                headers: { name in HTTPField.Name(name).map { headers[values: $0] } ?? [] },
                body: body, receivedAt: self.now()))
        let text = "{\"event_id\":\"\(receipt.eventID)\",\"status\":\"\(receipt.status.rawValue)\"}"
        return Response(
            status: receipt.status == .accepted ? .accepted : .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
