// SPDX-License-Identifier: Apache-2.0
// The rate that the provider tells in its replies, for where no rate is set.

// The headers say a limit, what remains of it and when it begins anew. While less than half remains, nine tenths of the
// rest are spread over the time that is left. A 429 that says nothing halves the rate of the last ten seconds, which then
// grows again. Replies are only noted. Before its next call the node writes what it has heard, at most once a second.

import Postgres
import Synchronization

/// What one reply says of the provider's limit.
package struct LimitNews: Sendable, Equatable {
    /// What the headers say: the limit, the calls that remain of it, and the time until it begins anew.
    package struct Told: Sendable, Equatable {
        package var limit: Int
        package var remaining: Int
        package var reset: Duration

        package init(limit: Int, remaining: Int, reset: Duration) {
            (self.limit, self.remaining, self.reset) = (limit, remaining, reset)
        }
    }

    /// What the call was for. A provider may count tokens, writes and reads apart, so a node hears of these three:
    /// tokens, creates (with deletes) and looks (with the sweep).
    package var kind: CallKind
    package var told: Told?
    /// Whether it is a 429 that says neither a limit nor a time to wait.
    package var isSilentRefusal: Bool

    package init(kind: CallKind, told: Told?, isSilentRefusal: Bool) {
        (self.kind, self.told, self.isSilentRefusal) = (kind, told, isSilentRefusal)
    }
}

/// What this node has heard of one kind of call.
struct HeardReplies {
    typealias Instant = ContinuousClock.Instant

    enum Rate: Equatable {
        /// Calls per second until the limit begins anew.
        case told(Double, limit: Int, until: Duration)
        /// Half of the last ten seconds' rate. The number is this node's own calls in that time.
        case halved(calls: Int)
    }

    /// Replies in each of the last ten seconds, by the second's number.
    private var replies: [(second: Int64, count: Int)] = []
    private var unwritten: Rate?
    private var nextWrite: Instant
    private let start: Instant

    init(now: Instant) { (self.start, self.nextWrite) = (now, now) }

    mutating func note(_ news: LimitNews, now: Instant) {
        let second = self.start.duration(to: now).components.seconds
        self.replies.removeAll { $0.second <= second - 10 }
        if self.replies.last?.second == second {
            self.replies[self.replies.count - 1].count += 1
        } else {
            self.replies.append((second, 1))
        }
        if news.isSilentRefusal {
            self.unwritten = .halved(calls: self.replies.reduce(0) { $0 + $1.count })
        } else if let told = news.told, told.remaining * 2 < told.limit, told.reset > .zero {
            // With nothing left the rate is as good as none until then.
            let rate = 0.9 * max(Double(told.remaining), 0.1) / (told.reset / .seconds(1))
            self.unwritten = .told(rate, limit: told.limit, until: told.reset)
        }
    }

    /// Returns what is to be written now, once.
    mutating func take(now: Instant) -> Rate? {
        guard let rate = self.unwritten, now >= self.nextWrite else { return nil }
        (self.unwritten, self.nextWrite) = (nil, now + .seconds(1))
        return rate
    }
}

extension ProviderLimits {
    /// How long a rate that was halved is believed. By then it has grown nineteenfold.
    private static let halvedFor: Duration = .seconds(600)

    /// Notes what a reply says of the provider's limit. Costs no statement.
    package func heard(_ news: LimitNews, now: ContinuousClock.Instant = .now) {
        self.heardReplies.withLock { $0[news.kind.learnedKey, default: HeardReplies(now: now)].note(news, now: now) }
    }

    /// Writes what was heard, for all nodes.
    ///
    /// Cancelled or failed here: the next reply says it again.
    func writeLearnedRates(now: ContinuousClock.Instant = .now) async {
        let rates = self.heardReplies.withLock { heard -> [(String, HeardReplies.Rate)] in
            heard.keys.compactMap { key in heard[key]?.take(now: now).map { (key, $0) } }
        }
        for (key, rate) in rates {
            _ = try? await self.pool.query(Self.write(rate, to: key))
            self.forget()
        }
    }

    /// Locks the row of the kind, which it finds by the primary key.
    private static func write(_ rate: HeardReplies.Rate, to key: String) -> SQL {
        switch rate {
        case .told(let rate, let limit, let reset):
            """
            insert into dialtone.provider_limits (scope, learned_rate, learned_limit, learned_until)
            values (\(key), \(rate), \(Int32(clamping: limit)), clock_timestamp() + \(min(reset, Self.longestPause)))
            -- The last word counts: it was told last.
            on conflict (scope) do update
            set learned_rate = excluded.learned_rate,
                learned_limit = excluded.learned_limit,
                learned_until = excluded.learned_until
            """
        case .halved(let calls):
            """
            insert into dialtone.provider_limits (scope, learned_rate, learned_limit, learned_until)
            select \(key), greatest(0.1, 0.05 * greatest(\(Double(calls)), sum(budget.calls))), null,
                   clock_timestamp() + \(Self.halvedFor)
            from (
                -- All nodes' calls, where they had a budget.
                select (select sum(one) from unnest(granted) one) as calls from dialtone.provider_budget
                where scope = \(key) and ends_at between clock_timestamp() - interval '10 seconds'
                                                     and clock_timestamp() + interval '10 seconds') budget
            on conflict (scope) do update
            set learned_rate = excluded.learned_rate, learned_limit = null, learned_until = excluded.learned_until
            -- Calls under way meet the same 429. Within ten seconds they halve it once.
            where coalesce(provider_limits.learned_until < excluded.learned_until - interval '10 seconds', true)
               or provider_limits.learned_limit is not null
            """
        }
    }

    /// The rate of a row that is believed now, else null. One that was halved grows by 5 % each ten seconds.
    static let believedRate: SQL = """
        case when learned_until > clock_timestamp() then
            learned_rate * case when learned_limit is not null then 1
                else power(1.05, floor(greatest(0, extract(epoch from clock_timestamp() + \(ProviderLimits.halvedFor)
                                                                      - learned_until)) / 10)) end end::float8
        """
}
