// SPDX-License-Identifier: Apache-2.0
// A webhook that needs no router: how its head shows that, which delivery it makes, and its answer.

import Foundation
import Intake
import NIOCore
import NIOHTTP1

/// A webhook whose hook is in memory and whose body has a length that is allowed.
struct PlainHookRequest: Sendable {
    let hook: String
    let known: KnownHook
    private let headers: HTTPHeaders

    /// Returns nil for every request that the router must look at: another path, or a hook that is not in memory. The
    /// same holds for a body without a length or too long, an encoding, and a connection that is about to close.
    init?(_ head: HTTPRequestHead, for hooks: HooksController) {
        guard head.method == .POST, head.version == .http1_1, head.uri.hasPrefix(Self.path) else { return nil }
        let hook = String(head.uri.dropFirst(Self.path.utf8.count))
        guard hook.utf8.allSatisfy({ $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "/") }),
            let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            (0...hooks.maximumBody).contains(length),
            !Self.unusual.contains(where: { head.headers.contains(name: $0) }),
            let known = hooks.intake.knownHook(hook, now: hooks.now())
        else { return nil }
        self.hook = hook
        self.known = known
        self.headers = head.headers
    }

    private static let path = "/v1/hooks/"
    /// A request with one of these headers goes to the router.
    private static let unusual = ["connection", "content-encoding", "expect", "transfer-encoding", "upgrade"]

    func delivery(_ body: ByteBuffer, at now: Date) -> Delivery {
        let headers = self.headers
        return Delivery(hook: self.hook, headers: { headers[$0] }, body: Array(buffer: body), receivedAt: now)
    }

    /// Returns the answer with all its fields. A router's answer gets them from Hummingbird and `ProblemMiddleware`.
    func answer(_ result: Result<Receipt, IntakeError>, from hooks: HooksController) -> Answer {
        let id = RequestIdentity.of(self.headers.first(name: "x-request-id"))
        var answer =
            switch result {
            case .success(let receipt): HooksController.answer(receipt)
            case .failure(let error): Problem.of(error, requestID: id, logger: hooks.logger).answer(requestID: id)
            }
        answer.fields.append(("content-length", "\(answer.body.utf8.count)"))
        answer.fields.append(("date", hooks.date.text(hooks.now())))
        answer.fields += Answer.fieldsOfAll(requestID: id)
        return answer
    }
}
