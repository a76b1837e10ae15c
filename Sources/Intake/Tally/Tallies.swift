// SPDX-License-Identifier: Apache-2.0
// What an operator reads of deliveries that were not stored: sums by source and reason, and samples.

package import Foundation
package import Model
package import Postgres

package struct Tallies: Sendable {
    /// Of which sources rows are read.
    package enum Scope: Sendable {
        case all
        case source(SourceID)
        /// The sources that belong to one tenant.
        case tenant(TenantID)
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// A source that was deleted is told by its id: another one may have its name by now.
    private static let slug: SQL = "case when sources.status <> 'deleted' then sources.slug end"

    /// Returns the sums of each source and reason with its own samples, those that came last first. `now` ends the last
    /// hour.
    ///
    /// Index tally_pkey for one source. For all of them the table is read whole; it is bounded. Then
    /// `newest_samples`, as a tenant's list does.
    package func counts(
        of outcomes: [TallyOutcome], _ scope: Scope = .all, limit: Int, now: Date
    ) async throws -> [TallyEntry] {
        let statement: SQL = """
            select counted.*, kept.times, kept.forms
            from (\(Self.counted(outcomes, scope, limit: limit, now: now))) counted
            cross join lateral dialtone.newest_samples(counted.source_id, counted.outcome, counted.reason) kept
            order by counted.newest desc, counted.source_id, counted.outcome, counted.reason
            """
        return try await self.pool.query(statement).map { row in
            var columns = row.columns
            let source = try TalliedSource(&columns)
            let (outcome, reason): (TallyOutcome, String) = (try columns.next(), try columns.next())
            return TallyEntry(
                source: source, outcome: outcome, reason: reason, lastHour: try columns.next(),
                total: try columns.next(), firstAt: try columns.next(), lastAt: try columns.next(),
                skewMilliseconds: try columns.next(), samples: try Self.samples(of: source, outcome, reason, &columns))
        }
    }

    private static func counted(_ outcomes: [TallyOutcome], _ scope: Scope, limit: Int, now: Date) -> SQL {
        """
        select tally.source_id, \(Self.slug) as slug, sources.tenant_id, tally.outcome, tally.reason,
               coalesce(sum(count) filter (where minutes = 1 and bucket > \(now - 3600)), 0)::bigint as last_hour,
               sum(count)::bigint as total, min(case when count = 1 then last_at else bucket end) as first_at,
               max(last_at) as newest,
               (array_agg(skew_ms order by last_at desc) filter (where skew_ms is not null))[1] as skew
        from dialtone.tally left join dialtone.sources using (source_id)
        where tally.outcome = any(\(outcomes)) and \(scope.condition(on: "tally"))
        group by tally.source_id, sources.slug, sources.status, sources.tenant_id, tally.outcome, tally.reason
        order by newest desc, tally.source_id, tally.outcome, tally.reason
        limit \(Int64(limit))
        """
    }

    private static func samples(
        of source: TalliedSource, _ outcome: TallyOutcome, _ reason: String, _ columns: inout PostgresColumns
    ) throws -> [TallySampleEntry] {
        let (times, forms): ([Date], [String]) = (try columns.next(), try columns.next())
        return zip(times, forms).map { at, form in
            TallySampleEntry(source: source, outcome: outcome, reason: reason, at: at, form: Self.form(form))
        }
    }

    /// A form that this version does not know is empty.
    private static func form(_ json: String) -> RequestForm {
        RequestForm(json: json) ?? RequestForm(headers: [], body: nil)
    }

    /// Returns the newest samples of all these. Index samples_pkey for one source.
    package func samples(
        of outcomes: [TallyOutcome], _ scope: Scope = .all, limit: Int
    ) async throws -> [TallySampleEntry] {
        let statement: SQL = """
            select samples.source_id, \(Self.slug), sources.tenant_id, samples.outcome, samples.reason, samples.at,
                   samples.form::text
            from dialtone.samples left join dialtone.sources using (source_id)
            where samples.outcome = any(\(outcomes)) and \(scope.condition(on: "samples"))
            order by samples.at desc, samples.source_id, samples.slot
            limit \(Int64(limit))
            """
        return try await self.pool.query(statement).map { row in
            var columns = row.columns
            return TallySampleEntry(
                source: try TalliedSource(&columns), outcome: try columns.next(), reason: try columns.next(),
                at: try columns.next(), form: Self.form(try columns.next()))
        }
    }
}

extension Tallies.Scope {
    fileprivate func condition(on table: String) -> SQL {
        switch self {
        case .all: "true"
        case .source(let id): "\(unsafeText: table).source_id = \(id)"
        case .tenant(let tenant): "sources.tenant_id = \(tenant)"
        }
    }
}
