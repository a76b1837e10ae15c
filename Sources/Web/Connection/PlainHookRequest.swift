// SPDX-License-Identifier: Apache-2.0
// A webhook that needs no router: how its head shows that, which delivery it makes, and its answer.

import Foundation
import Intake
import NIOCore
import NIOHTTP1

/// A webhook whose hook is in memory and whose body has a length that is allowed.
struct PlainHookRequest: Sendable {
    let hook: String
    private(set) var known: KnownHook
    let head: HTTPRequestHead

    /// Returns nil for every request that the router must look at: another path, or a hook that is not in memory. The
    /// same holds for a body without a length or too long, for a long one that a mapping reads, and for an encoding.
    init?(_ head: HTTPRequestHead, for hooks: HooksController) {
        guard head.method == .POST, head.version == .http1_1, head.uri.hasPrefix(Self.path) else { return nil }
        let hook = String(head.uri.dropFirst(Self.path.utf8.count))
        guard hook.utf8.allSatisfy({ $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "/") }),
            let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            (0...hooks.maximumBody).contains(length),
            !Self.unusual.contains(where: { head.headers.contains(name: $0) }),
            let known = hooks.intake.knownHook(hook, now: hooks.now()),
            known.maximumBody == nil || length <= Self.maximumMapped
        else { return nil }
        self.hook = hook
        self.known = known
        self.head = head
    }

    private static let path = "/v1/hooks/"
    /// Bytes of a body that a mapping reads here at most. To read a longer one would hold the event loop.
    private static let maximumMapped = 16_384
    /// A request with one of these headers goes to the router.
    private static let unusual = ["content-encoding", "transfer-encoding"]

    /// Returns the same request, which meets its source as it is now.
    func with(_ known: KnownHook) -> PlainHookRequest {
        var request = self
        request.known = known
        return request
    }

    func delivery(_ body: ByteBuffer, at now: Date) -> Delivery {
        let headers = self.head.headers
        return Delivery(
            hook: self.hook, headers: { headers[$0] }, body: Array(buffer: body), receivedAt: now,
            lengths: { RefusedHook.lengths(of: headers) })
    }

    /// Counts this request as refused. `body` is how many bytes of it came.
    func countRefused(_ error: any Error, body: Int, from hooks: HooksController) {
        hooks.intake.countRefused(RefusedHook.refusal(of: error), at: self.known, now: hooks.now()) {
            RequestForm(headers: RefusedHook.lengths(of: self.head.headers), body: body)
        }
    }

    func answer(_ result: Result<Receipt, IntakeError>, from hooks: HooksController) -> Answer {
        switch result {
        case .success(let receipt):
            var answer = HooksController.answer(receipt)
            answer.complete(requestID: self.requestID, date: hooks.date.text(hooks.now()))
            return answer
        case .failure(let error): return self.answer(error, from: hooks)
        }
    }

    /// Returns the answer that says why the webhook is refused.
    func answer(_ error: any Error, from hooks: HooksController) -> Answer {
        let id = self.requestID
        let problem = Problem.of(error, requestID: id, source: self.known.sourceID, logger: hooks.logger)
        var answer = problem.answer(requestID: id)
        answer.complete(requestID: id, date: hooks.date.text(hooks.now()))
        return answer
    }

    /// The caller's own, or else a new one each time.
    private var requestID: String { RequestIdentity.of(self.head.headers.first(name: "x-request-id")) }
}
