// SPDX-License-Identifier: Apache-2.0
// A sum of what was not stored, and a sample of it, as an operator reads them.

package import Foundation
package import Model
import Postgres

/// Whose deliveries they were.
package enum TalliedSource: Sendable, Equatable {
    /// `tenant` is nil for a source that serves several.
    case source(slug: String, tenant: TenantID?)
    /// Hooks that are not known.
    case unknownHooks
    /// Sources beyond the number that is counted by name.
    case others

    init(_ columns: inout PostgresColumns) throws {
        let id: SourceID = try columns.next()
        let slug: String? = try columns.next()
        let tenant: TenantID? = try columns.next()
        switch id {
        case .unknownHooks: self = .unknownHooks
        case .others: self = .others
        default: self = .source(slug: slug ?? id.rawValue.lowercase, tenant: tenant)
        }
    }
}

package struct TallyEntry: Sendable, Equatable {
    package let source: TalliedSource
    package let outcome: TallyOutcome
    package let reason: String
    package let lastHour: Int64
    /// Of 14 days.
    package let total: Int64
    /// When the first of them came, or when the minutes or hours began in which it did.
    package let firstAt: Date
    package let lastAt: Date
    /// The sender's time minus ours, of the newest one whose proof held but for the time.
    package let skewMilliseconds: Int64?
    /// The newest of them, three at most. None: others of this source and outcome were newer.
    package let samples: [TallySampleEntry]
}

package struct TallySampleEntry: Sendable, Equatable {
    package let source: TalliedSource
    package let outcome: TallyOutcome
    package let reason: String
    package let at: Date
    package let form: RequestForm
}
