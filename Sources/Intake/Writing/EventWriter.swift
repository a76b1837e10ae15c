// SPDX-License-Identifier: Apache-2.0
// The group commit of sources that speak of users: what their events need beside the statements.

import Model
import Postgres
import Queue

typealias EventWriter = GroupCommit<NewDelivery>
typealias WaitingLine = DeliveryLine<NewDelivery>

extension NewEvent: LineEvent {
    /// A statement has one row for a user at most.
    var lineKey: UserKey { self.change.user }
    var lineTenant: TenantID? { self.change.user.tenant }
}

extension NewDelivery: LineDelivery {
    static var repeats: Int { 1 }

    /// What other nodes did meanwhile is looked up, and corrected, in commits of their own. If one fails, the sender is
    /// told 503 and comes again.
    static func store(
        _ events: [NewEvent], _ clock: inout FairClock, in pool: PostgresPool
    ) async throws -> [EventID: EventResult] {
        let statements = EventInsert.statements(for: events, &clock)
        return try await pool.withConnection { connection in
            let rows = try await EventInsert.rows(of: statements, on: connection)
            let (decided, unseen) = try EventInsert.read(rows)
            try await EventInsert.markSuperseded(decided, on: connection)
            var results = decided
            for event in events {
                guard let outcome = unseen[event.id] else { continue }
                results[event.id] = try await EventInsert.resultElsewhere(of: event, outcome, on: connection)
            }
            return results
        }
    }
}
