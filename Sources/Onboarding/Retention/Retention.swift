// SPDX-License-Identifier: Apache-2.0
// What is kept has an end: the chores that throw away what nobody needs any more, a page at a time.

import Postgres

/// How long what may go is kept.
package struct RetentionRules: Sendable {
    /// Days of the log of transitions.
    package var jobLogDays = 90
    /// Days of events that no replay can bring back.
    package var eventDays = 90

    package init() {}

    /// Days of a deleted surplus credential, and of what is left of an erased person. Nobody asks for either, but a
    /// credential may come to light later and its row then says whose it was.
    static let remainsDays = 90
    /// Days of what was put right.
    static let findingDays = 90

    static func life(_ days: Int) -> Duration { .seconds(days * 86_400) }
}

extension OnboardingWorker {
    /// Does one chore of this room. The walk over old events goes on at `place`.
    ///
    /// Cancelled here: what was committed stays done, and the rest is done another time.
    func retain(_ chore: Chore, _ place: inout OldEvents.Place, on connection: PostgresConnection) async throws {
        let rules = self.configuration.retention
        switch chore {
        case .dropOldLog: _ = try await connection.query(OldLog.dropDays(after: rules.jobLogDays))
        case .forgetOldLogRows:
            _ = try await connection.query(OldLog.forgetRows(after: rules.jobLogDays, limit: Self.rowsPerPage))
        case .forgetOldEvents:
            let page = place
            // After a failure the walk begins anew.
            place = OldEvents.Place()
            let life = RetentionRules.life(rules.eventDays)
            place = try OldEvents.nextPlace(
                after: try await connection.query(OldEvents.forget(after: life, from: page)))
        case .overwriteClosedCredentials:
            _ = try await connection.query(ClosedCredentials.overwrite(limit: Int64(Self.rowsPerPage)))
        case .forgetRemains:
            let life = RetentionRules.life(RetentionRules.remainsDays)
            _ = try await connection.query(OldRemains.forgetSurplus(after: life, limit: Int64(Self.rowsPerPage)))
            _ = try await connection.query(OldRemains.forgetErased(after: life, limit: Int64(Self.rowsPerPage)))
        case .rollMinutes: _ = try await connection.query(OldMinutes.roll(limit: Self.countsPerPage))
        case .forgetHours: _ = try await connection.query(OldMinutes.forget(limit: Self.countsPerPage))
        case .forgetFindings:
            let life = RetentionRules.life(RetentionRules.findingDays)
            _ = try await connection.query(OldFindings.forget(after: life, limit: Int64(Self.rowsPerPage)))
        default: break
        }
    }

    private static let rowsPerPage: Int32 = 1000
    private static let countsPerPage: Int64 = 5000
}
