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

    static func seal(_ events: [NewEvent], by names: NameSealing, in pool: PostgresPool) async -> [NewEvent] {
        await names.seal(events)
    }

    /// What other nodes did meanwhile is looked up, and corrected, in commits of their own. If one fails, the sender is
    /// told 503 and comes again.
    static func store(
        _ events: [NewEvent], _ clock: inout FairClock, in pool: PostgresPool
    ) async throws -> [EventID: EventResult] {
        let statements = EventInsert.statements(for: events, &clock)
        return try await pool.withConnection { connection in
            try await Self.store(events, by: statements, &clock, on: connection)
        }
    }

    /// With `isInTransaction` one is open on the connection, and all of this is a part of it.
    static func store(
        _ events: [NewEvent], by statements: [SQL], _ clock: inout FairClock, isInTransaction: Bool = false,
        on connection: PostgresConnection
    ) async throws -> [EventID: EventResult] {
        try await HiddenIDs.replace(in: events, isInTransaction: isInTransaction, on: connection)
        let rows = try await EventInsert.rows(of: statements, on: connection)
        let (decided, unseen) = try EventInsert.read(rows)
        try await EventInsert.markSuperseded(decided, on: connection)
        var results = decided
        for event in events {
            guard let outcome = unseen[event.id] else { continue }
            results[event.id] = try await EventInsert.resultElsewhere(of: event, outcome, on: connection)
        }
        try await Resend.settle(events, &results, &clock, isInTransaction: isInTransaction, on: connection)
        try await FirstTake.decide(events, &results, on: connection)
        return results
    }
}

extension NewEvent {
    static func settle(
        _ events: [NewEvent], storing others: [NewEvent], _ clock: inout FairClock,
        on connection: PostgresConnection
    ) async throws -> [EventID: EventResult] {
        var statements = [QuarantinedBody.lock(of: events.map(\.id))]
        if !events.isEmpty { statements += EventInsert.statements(for: events, settling: .resend, &clock) }
        if !others.isEmpty { statements += EventInsert.statements(for: others, &clock) }
        let ids = events.map(\.id)
        statements += [QuarantinedBody.end(settled: ids, by: .resend), QuarantinedBody.handOn(from: ids)]
        let rows = try await EventInsert.rows(of: statements, on: connection)
        let (decided, unseen) = try EventInsert.read(rows)
        var results = decided
        for event in others where unseen[event.id] != nil {
            results[event.id] = try await Self.lookUp(event, on: connection)
        }
        return results
    }

    static func lookUp(_ event: NewEvent, on connection: PostgresConnection) async throws -> EventResult? {
        try await EventInsert.resultElsewhere(of: event, .duplicate, on: connection)
    }
}
