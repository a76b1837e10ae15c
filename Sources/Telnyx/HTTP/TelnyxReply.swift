// SPDX-License-Identifier: Apache-2.0
// One HTTP response of the provider, complete and not yet judged.

import Foundation
import NIOHTTP1

struct TelnyxReply {
    var status: Int
    var headers: HTTPHeaders
    var body: Data

    var trace: ProviderTrace {
        ProviderTrace(
            httpStatus: self.status,
            requestID: self.headers.first(name: "x-request-id").map { String($0.prefix(100)) })
    }

    func retryAfter(now: Date) -> Duration { RateLimitWait.read({ self.headers.first(name: $0) }, now: now) }

    /// What the headers say of the provider's limit; nil when they do not say it.
    func limit(now: Date) -> LimitHeaders? { LimitHeaders({ self.headers.first(name: $0) }, now: now) }

    /// Whether it is a 429 that says neither a limit nor a time to wait.
    func isSilentRefusal(now: Date) -> Bool {
        self.status == 429 && RateLimitWait.asked({ self.headers.first(name: $0) }, now: now) == nil
    }

    func decode<Payload: Decodable>(_ type: Payload.Type) throws -> Payload {
        try JSONDecoder().decode(type, from: self.body)
    }

    /// Decodes the body, or throws `unreadable`.
    func read<Payload: Decodable>(_ type: Payload.Type) throws(TelnyxFailure) -> Payload {
        do {
            return try self.decode(type)
        } catch {
            throw TelnyxFailure(.unreadable, self.trace)
        }
    }
}
