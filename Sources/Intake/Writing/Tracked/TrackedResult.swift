// SPDX-License-Identifier: Apache-2.0
// What became of one word, as the statement that wrote it tells.

import Model
import Postgres

/// A row of `TrackedOutcome.perEvent`.
struct TrackedResult: Sendable, Equatable {
    let id: EventID
    let outcome: EventOutcome
    /// Why: 'waits', 'invited', 'suspended', 'unmapped', 'held' or 'other_source'; nil when the outcome says it all.
    /// Of what is ignored 'unmapped' means that quarantine has no room.
    let detail: String?
    /// The event that the ledger has for the word. Nil: the word was passed, its delivery did not have it when it came
    /// first, or another node has committed it meanwhile.
    let known: EventID?
    /// The ledger's event says the same.
    let isSame: Bool
    /// The tenant that the word on the membership is for; nil: none.
    let tenant: TenantID?
    /// The ledger has the event in quarantine, and this word may settle it.
    let isInQuarantine: Bool

    /// Reads a row of `TrackedStatement.write`.
    init(_ row: PostgresRow) throws {
        var columns = row.columns
        self.id = try columns.next()
        self.outcome = try columns.next()
        self.detail = try columns.next()
        self.known = try columns.next()
        self.isSame = try columns.next()
        let tenant: String? = try columns.next()
        self.tenant = tenant.flatMap(TenantID.init(rawValue:))
        self.isInQuarantine = try columns.next()
    }
}

/// Who settles an event that is in quarantine: the column `quarantine.settled_by`.
enum Settlement: String, Sendable {
    /// An operator, with a mended mapping.
    case replay
    /// The sender, who sent it again.
    case resend
    /// An operator, who mapped the organisation.
    case map
}
