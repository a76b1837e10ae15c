// SPDX-License-Identifier: Apache-2.0
// What was refused of a tenant's sources: counts by reason and a few samples. No value of a header, no byte of a body.

package import Foundation
package import Model
import Postgres

/// Refusals of one source for one reason, in the last 14 days.
package struct RefusalEntry: Sendable, Codable, Equatable {
    package let source: String
    package let outcome: String
    package let reason: String
    package let text: String
    package let lastHour: Int64
    package let total: Int64
    package let firstAt: Date
    package let lastAt: Date
    /// The sender's clock minus ours, where the proof held but for the time.
    @OrNull package var skewMilliseconds: Int64?
    /// The newest of them, one a minute at most. None: others of this source and outcome were newer.
    package let samples: [RefusalSample]

    enum CodingKeys: String, CodingKey {
        case source, outcome, reason, text, total, samples
        case lastHour = "last_hour"
        case firstAt = "first_at"
        case lastAt = "last_at"
        case skewMilliseconds = "skew_ms"
    }
}

/// The form of one request that was not stored.
package struct RefusalSample: Sendable, Codable, Equatable {
    package struct Header: Sendable, Codable, Equatable {
        package let name: String
        package let bytes: Int
    }

    package let at: Date
    /// Null: the body was not read, and the request did not tell its length.
    @OrNull package var bodyBytes: Int?
    package let headers: [Header]

    enum CodingKeys: String, CodingKey {
        case at, headers
        case bodyBytes = "body_bytes"
    }

    /// The column `samples.form`.
    private struct Form: Decodable {
        var headers: [Header]
        var body: Int?
    }

    /// A form that this version does not know is empty.
    init(at: Date, form: String) {
        let form = try? JSONDecoder().decode(Form.self, from: Data(form.utf8))
        self.init(at: at, bodyBytes: form?.body, headers: form?.headers ?? [])
    }

    private init(at: Date, bodyBytes: Int?, headers: [Header]) {
        self.at = at
        self._bodyBytes = OrNull(wrappedValue: bodyBytes)
        self.headers = headers
    }
}

package struct Refusals: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns what of the tenant's sources was refused, ignored or not kept, the newest first. `source`: of that one
    /// only.
    package func list(
        of tenant: TenantID, source: String?, as reader: Reader
    ) async throws -> [RefusalEntry] {
        try await self.reads.rows(as: reader, [Self.select(of: tenant, source: source, limit: 200)])[0].map { row in
            var columns = row.columns
            let (slug, outcome): (String, String) = (try columns.next(), try columns.next())
            let reason: String = try columns.next()
            return RefusalEntry(
                source: slug, outcome: outcome, reason: reason, text: RefusalWords.of(reason),
                lastHour: try columns.next(), total: try columns.next(), firstAt: try columns.next(),
                lastAt: try columns.next(), skewMilliseconds: try columns.next(),
                samples: try Self.samples(&columns))
        }
    }

    private static func samples(_ columns: inout PostgresColumns) throws -> [RefusalSample] {
        let (times, forms): ([Date], [String]) = (try columns.next(), try columns.next())
        return zip(times, forms).map { RefusalSample(at: $0, form: $1) }
    }

    /// The primary key of tally, by source: minutes of two hours and hours of 14 days. Then
    /// `newest_samples`, as the operator's list does. Index sources_slug, whole for the tenant.
    private static func select(of tenant: TenantID, source: String?, limit: Int) -> SQL {
        """
        select counted.slug, counted.outcome, counted.reason, counted.last_hour, counted.total, counted.first_at,
               counted.last_at, counted.skew_ms, kept.times, kept.forms
        from (\(Self.counted(of: tenant, source: source, limit: limit))) counted
        cross join lateral dialtone.newest_samples(counted.source_id, counted.outcome, counted.reason) kept
        order by counted.last_at desc
        """
    }

    private static func counted(of tenant: TenantID, source: String?, limit: Int) -> SQL {
        """
        select sender.source_id, sender.slug, told.outcome, told.reason,
               coalesce(sum(told.count) filter (where told.last_at > now() - interval '1 hour'), 0)::bigint
                   as last_hour,
               sum(told.count)::bigint as total,
               min(case when told.count = 1 then told.last_at else told.bucket end) as first_at,
               max(told.last_at) as last_at,
               (array_agg(told.skew_ms order by told.last_at desc) filter (where told.skew_ms is not null))[1]
                   as skew_ms
        from (select source_id, slug from dialtone.sources
              where sources.tenant_id = \(tenant) and sources.status <> 'deleted'
                and (\(source)::text is null or sources.slug = \(source)) offset 0) sender
        cross join lateral (
            select * from dialtone.tally where tally.source_id = sender.source_id offset 0) told
        group by sender.source_id, sender.slug, told.outcome, told.reason
        order by max(told.last_at) desc limit \(limit)
        """
    }

    /// The newest refusal of these sources: the source's name, the reason, how often, and when last.
    static func newest(of senders: Senders) -> SQL {
        """
        select slug, reason, total, last_at from (
            select sender.slug, told.reason, sum(told.count)::bigint as total, max(told.last_at) as last_at
            from (\(senders.select)) sender
            cross join lateral (
                select * from dialtone.tally
                where tally.source_id = sender.source_id and tally.outcome = 'refused' offset 0) told
            group by sender.slug, told.reason) newest
        order by last_at desc limit 1
        """
    }
}

/// A reason in words. The reasons are a closed set of intake; each says itself when its lines become blanks.
package enum RefusalWords {
    package static func of(_ reason: String) -> String {
        switch reason {
        case "proof_signature": "the signature does not fit: is the secret the sender's own?"
        case "proof_time": "the time of the signature is too far from ours"
        case "body_not_json": "the body is no JSON"
        case "body_wrong_value": "a member of the body has a wrong value"
        case "tenant_not_allowed": "the body names a tenant that the source may not speak for"
        case "delivery_id_reused": "the delivery's id was used for another event"
        case "too_large": "the body is too long"
        default: reason.replacing("proof_", with: "the proof does not hold: ").replacing("_", with: " ")
        }
    }
}
