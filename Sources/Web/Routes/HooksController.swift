// SPDX-License-Identifier: Apache-2.0
// Where webhooks arrive: collect the bytes once, hand them to intake, answer when it is durable.

import Foundation
import HTTPTypes
import Hummingbird
import Intake
import Logging
import Model
import NIOCore
import NIOHTTP1

struct HooksController: Sendable {
    let intake: Intake
    /// Bytes of a body at most.
    let maximumBody: Int
    let logger: Logger
    let now: @Sendable () -> Date
    private let date = DateField()

    init(intake: Intake, maximumBody: Int, logger: Logger, now: @escaping @Sendable () -> Date) {
        self.intake = intake
        self.maximumBody = maximumBody
        self.logger = logger
        self.now = now
    }

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
        return Self.answer(receipt).response
    }

    /// `{"event_id","status"}`; for several users also `"items":[{"event_id","status"}]`, in the delivery's order.
    private static func answer(_ receipt: Receipt) -> Answer {
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

// For `HookFastPath`: the same without the router.
extension HooksController {
    /// A webhook whose hook is in memory and whose body has a length that is allowed.
    struct Opening {
        var head: HTTPRequestHead
        var hook: String
        var known: KnownHook
        /// Bytes.
        var length: Int
    }

    /// Nil for what the router must look at: other paths, and all that is not plain about a webhook.
    func opening(_ head: HTTPRequestHead) -> Opening? {
        guard head.method == .POST, head.version == .http1_1, head.uri.hasPrefix(Self.path) else { return nil }
        let hook = String(head.uri.dropFirst(Self.path.utf8.count))
        guard hook.utf8.allSatisfy({ $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "/") }),
            let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            (0...self.maximumBody).contains(length),
            !Self.unusual.contains(where: { head.headers.contains(name: $0) }),
            let known = self.intake.knownHook(hook, now: self.now())
        else { return nil }
        return Opening(head: head, hook: hook, known: known, length: length)
    }

    private static let path = "/v1/hooks/"
    private static let unusual = ["connection", "content-encoding", "expect", "transfer-encoding", "upgrade"]

    /// `answer` is called once, from any thread.
    func receive(_ opening: Opening, body: ByteBuffer, answer: @escaping @Sendable (Answer) -> Void) {
        let headers = opening.head.headers
        let delivery = Delivery(
            hook: opening.hook, headers: { headers[$0] }, body: Array(buffer: body), receivedAt: self.now())
        self.intake.receive(delivery, at: opening.known) { result in
            let id = RequestIdentity.of(headers.first(name: "x-request-id"))
            var made =
                switch result {
                case .success(let receipt): Self.answer(receipt)
                case .failure(let error):
                    Problem.of(error, requestID: id, logger: self.logger).answer(requestID: id)
                }
            made.fields.append(("content-length", "\(made.body.utf8.count)"))
            made.fields.append(("date", self.date.text(self.now())))
            made.fields += Answer.fieldsOfAll(requestID: id)
            answer(made)
        }
    }
}
