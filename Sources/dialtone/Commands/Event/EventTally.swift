// SPDX-License-Identifier: Apache-2.0
// Prints how many deliveries of all tenants were not stored, why, and what some of them looked like.

import Composition
import Model

enum EventTally {
    /// Shows a table of counts by source and reason, and then the newest samples. `outcome` is `refused` or `ignored`.
    /// Where no tenant is named it is the source that serves several, or without a source all sources.
    static func show(
        outcome: String, _ choice: EventChoice, limit: Int, json: Bool, fields: Fields
    ) async throws {
        let report = try await Administration(try await Settings.read()).tally(
            of: outcome, source: choice.source, tenant: choice.tenant, limit: limit)
        if fields.paths != nil { return try Terminal.show(report.data, json: json, fields: fields) }
        if json { return try Terminal.show(json: report) }
        try Terminal.show(report.data, json: false)
        guard !report.samples.isEmpty else { return }
        Terminal.show("")
        try Terminal.show(report.samples, json: false)
    }
}
