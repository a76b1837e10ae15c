// SPDX-License-Identifier: Apache-2.0
// Prints how many deliveries were not stored, why, and what some of them looked like.

import Composition
import Model

enum EventTally {
    /// Shows a table of counts by source and reason, and then the newest samples. `outcome` is `refused` or `ignored`.
    /// `tenant` nil: the source that serves several tenants, or without `source` all sources.
    static func show(outcome: String, source: String?, tenant: String?, limit: Int, json: Bool) async throws {
        let tenant = try tenant.map { try TenantID($0) }
        let report = try await Administration(try await Settings.read()).tally(
            of: outcome, source: source, tenant: tenant, limit: limit)
        if json { return try Terminal.show(json: report) }
        try Terminal.show(report.data, json: false)
        guard !report.samples.isEmpty else { return }
        Terminal.show("")
        try Terminal.show(report.samples, json: false)
    }
}
