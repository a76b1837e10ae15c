// SPDX-License-Identifier: Apache-2.0
// The lines that `dialtone event list --refused|--ignored` prints of all tenants, and the operator's call behind it.

import Directory
package import Foundation
import Intake
package import Model

/// How many deliveries of one source were not stored, and why: the API's members, and the tenant.
package struct TallyLine: Line {
    /// Null for hooks that are not known, and for sources beyond the number that is counted by name.
    @OrNull package var source: String?
    @OrNull package var tenant: String?
    package var outcome: String
    package var reason: String
    /// What the reason means.
    package var text: String
    package var last_hour: Int64
    /// Of 14 days.
    package var total: Int64
    package var first_at: String
    package var last_at: String
    /// The sender's time minus ours, where the proof held but for the time.
    @OrNull package var skew_ms: Int64?
    /// The newest of them, as the API has them.
    package var samples: [TallySampleForm]

    package static let heading = ["SOURCE", "REASON", "LAST HOUR", "14 DAYS", "LAST AT", "CLOCK"]
    package static let flexible = [0, 1]
    package static let spare = [4]
    package var cells: [String] {
        [
            self.name, self.outcome == TallyOutcome.notKept.rawValue ? "\(self.reason) (not kept)" : self.reason,
            "\(self.last_hour)", "\(self.total)", self.last_at,
            self.skew_ms.map { "\($0 < 0 ? "" : "+")\($0) ms" } ?? "",
        ]
    }

    /// The source as a person reads it.
    private let name: String

    private enum CodingKeys: String, CodingKey {
        case source, tenant, outcome, reason, text, last_hour, total, first_at, last_at, skew_ms, samples
    }

    init(_ entry: TallyEntry) {
        self.source = entry.source.slug
        self.tenant = entry.source.tenant
        self.outcome = entry.outcome.rawValue
        self.reason = entry.reason
        self.text = RefusalWords.of(entry.reason)
        self.last_hour = entry.lastHour
        self.total = entry.total
        self.first_at = RFC3339.text(entry.firstAt)
        self.last_at = RFC3339.text(entry.lastAt)
        self.skew_ms = entry.skewMilliseconds
        self.samples = entry.samples.map(TallySampleForm.init)
        self.name = entry.source.shown
    }
}

/// What is kept of one request that was not stored.
package struct TallySampleForm: Encodable, Sendable {
    package var at: String
    @OrNull package var body_bytes: Int?
    package var headers: [TallySampleLine.Header]

    init(_ entry: TallySampleEntry) {
        self.at = RFC3339.text(entry.at)
        self.headers = entry.form.headers.map { TallySampleLine.Header(name: $0.name, bytes: $0.bytes) }
        self.body_bytes = entry.form.body
    }
}

/// The form of one request that was not stored.
package struct TallySampleLine: Line {
    package struct Header: Encodable, Sendable {
        package var name: String
        package var bytes: Int
    }

    package var at: String
    @OrNull package var source: String?
    @OrNull package var tenant: String?
    package var outcome: String
    package var reason: String
    @OrNull package var body_bytes: Int?
    package var headers: [Header]

    package static let heading = ["AT", "SOURCE", "REASON", "BODY", "HEADERS AND THEIR LENGTHS"]
    package static let flexible = [4, 1, 2]
    package static let spare = [0]
    package var cells: [String] {
        [
            self.at, self.name, self.reason, self.body_bytes.map { "\($0)" } ?? "",
            self.headers.map { "\($0.name) \($0.bytes)" }.joined(separator: ", "),
        ]
    }

    private let name: String

    private enum CodingKeys: String, CodingKey { case at, source, tenant, outcome, reason, body_bytes, headers }

    init(_ entry: TallySampleEntry) {
        self.at = RFC3339.text(entry.at)
        self.source = entry.source.slug
        self.tenant = entry.source.tenant
        self.outcome = entry.outcome.rawValue
        self.reason = entry.reason
        self.body_bytes = entry.form.body
        self.headers = entry.form.headers.map { Header(name: $0.name, bytes: $0.bytes) }
        self.name = entry.source.shown
    }
}

/// Counts and samples of one outcome, those that came last first. Without the samples it has the API's form.
package struct TallyReport: Encodable, Sendable {
    package let data: [TallyLine]
    /// There is no second page.
    @OrNull package private(set) var next: String? = nil
    package let samples: [TallySampleLine]
}

extension Administration {
    /// Says how many deliveries were not stored, and why. `outcome` is `refused` or `ignored`; what quarantine had no
    /// room for is among the ignored. `source` nil: all sources, or with `tenant` all of that tenant.
    package func tally(
        of outcome: String, source: String?, tenant: TenantID?, limit: Int, now: Date = Date()
    ) async throws -> TallyReport {
        let outcomes: [TallyOutcome]
        switch outcome {
        case "refused": outcomes = [.refused]
        case "ignored": outcomes = [.ignored, .notKept]
        default: throw InvalidValue("outcome", "must be refused or ignored")
        }
        return try await self.withPool { pool in
            let tallies = Tallies(pool: pool)
            var scope = tenant.map { Tallies.Scope.tenant($0) } ?? .all
            if let source {
                scope = .source(try await EventReader(pool: pool).source(named: source, tenant: tenant).id)
            }
            let counts = try await tallies.counts(of: outcomes, scope, limit: limit, now: now)
            let samples = try await tallies.samples(of: outcomes, scope, limit: limit)
            return TallyReport(data: counts.map(TallyLine.init), samples: samples.map(TallySampleLine.init))
        }
    }
}

extension TalliedSource {
    fileprivate var slug: String? { if case .source(let slug, _) = self { slug } else { nil } }
    fileprivate var tenant: String? { if case .source(_, let tenant) = self { tenant?.rawValue } else { nil } }

    /// For a person: the tenant stands before the name, as in `acme/app`.
    fileprivate var shown: String {
        switch self {
        case .source(let slug, let tenant): tenant.map { "\($0)/\(slug)" } ?? slug
        case .unknownHooks: "(unknown hooks)"
        case .others: "(other sources)"
        }
    }
}
