// SPDX-License-Identifier: Apache-2.0
// Reads from a reply's headers how many calls remain of the provider's limit, and when it begins anew.

import Foundation

/// What a reply says of the provider's limit.
package struct LimitHeaders: Sendable, Equatable {
    package var limit: Int
    package var remaining: Int
    /// The time until the limit begins anew, an hour at most.
    package var reset: Duration

    init(limit: Int, remaining: Int, reset: Duration) {
        (self.limit, self.remaining, self.reset) = (limit, remaining, reset)
    }
}

/// Calls that the provider may count apart.
package enum LimitedCalls: Sendable, Equatable {
    case tokens
    /// Creates and deletes.
    case writes
    /// Lists, and questions for one.
    case reads
}

extension LimitHeaders {
    /// Reads `x-ratelimit-*`, else `ratelimit-*`, else the two fields of the newer draft, as in `RateLimit: "a";r=5;t=30`
    /// with `RateLimit-Policy: "a";q=10;w=60`. Nil when a part is missing or makes no sense. `header` gives a header's
    /// value.
    init?(_ header: (String) -> String?, now: Date) {
        for prefix in ["x-ratelimit-", "ratelimit-"] {
            guard let limit = header(prefix + "limit").flatMap(Self.number),
                let remaining = header(prefix + "remaining").flatMap(Self.number),
                let reset = header(prefix + "reset").flatMap({ Self.secondsToReset($0, now: now) })
            else { continue }
            self.init(Int(limit), Int(remaining), seconds: reset)
            return
        }
        guard let field = header("ratelimit"), let policy = header("ratelimit-policy"),
            let limit = Self.parameter("q", of: policy), let remaining = Self.parameter("r", of: field),
            let reset = Self.parameter("t", of: field)
        else { return nil }
        self.init(Int(limit), Int(remaining), seconds: reset)
    }

    private init(_ limit: Int, _ remaining: Int, seconds: Double) {
        self.init(limit: limit, remaining: min(remaining, limit), reset: .milliseconds(Int(min(seconds, 3600) * 1000)))
    }

    /// The vendor's pages disagree whether a reset is seconds or an epoch, so its size decides: above 1e12 it is an epoch
    /// in milliseconds, above 1e9 an epoch in seconds. Nil for what is over or no number.
    static func secondsToReset(_ text: String, now: Date) -> Double? {
        guard let reset = self.number(text) else { return nil }
        let time = now.timeIntervalSince1970
        let wait = reset > 1e12 ? reset / 1000 - time : reset > 1e9 ? reset - time : reset
        return wait > 0 ? wait : nil
    }

    /// The first of the numbers, as in `100, 100;w=60`.
    private static func number(_ text: some StringProtocol) -> Double? {
        let first = text.prefix { $0 != "," && $0 != ";" }
        guard let number = Double(String(first).filter { $0 != " " }), number >= 0, number < 1e15 else { return nil }
        return number
    }

    /// A parameter of the first item of a structured field.
    private static func parameter(_ name: String, of field: String) -> Double? {
        for part in field.prefix(while: { $0 != "," }).split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].trimmingCharacters(in: .whitespaces) == name else { continue }
            return self.number(pair[1])
        }
        return nil
    }
}
