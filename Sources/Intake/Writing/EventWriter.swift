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
            try await Self.settle(events, &results, &clock, on: connection)
            try await FirstTake.decide(events, &results, on: connection)
            return results
        }
    }

    /// A delivery that comes again while its event is in quarantine is a replay with the body at hand.
    private static func settle(
        _ events: [NewEvent], _ results: inout [EventID: EventResult], _ clock: inout FairClock,
        on connection: PostgresConnection
    ) async throws {
        var repeated: [NewEvent] = []
        var ids: [EventID: EventID] = [:]
        for event in events {
            guard case .success(let item)? = results[event.id], item.status == .quarantined,
                ids[item.eventID] == nil
            else { continue }
            ids[item.eventID] = event.id
            repeated.append(event.replaying(item.eventID))
        }
        guard !repeated.isEmpty else { return }
        let statements = EventInsert.handingOn(
            EventInsert.statements(for: repeated, settling: .resend, &clock), repeated.map(\.id))
        let settled = try EventInsert.read(try await EventInsert.rows(of: statements, on: connection)).decided
        try await EventInsert.markSuperseded(settled, on: connection)
        for (known, result) in settled {
            guard let id = ids[known] else { continue }
            results[id] = result
        }
    }
}
