// SPDX-License-Identifier: Apache-2.0
// The operator's calls on events: list them, look at one, and try again what is in quarantine, or drop it.

import Foundation
import Intake
package import Model

/// Which events a command is about.
package struct EventChoice: Sendable {
    package var source: String?
    package var tenant: TenantID?

    package init(source: String?, tenant: TenantID?) {
        self.source = source
        self.tenant = tenant
    }
}

extension Administration {
    // MARK: Reading

    /// Returns the newest events first, or those that are in quarantine. `before` is the `next` of an earlier page.
    package func events(
        _ choice: EventChoice, quarantined: Bool, before: EventID?, limit: Int
    ) async throws -> Answer<EventLine> {
        let page: EventEntryPage = try await self.withPool { pool in
            let reader = EventReader(pool: pool)
            let (source, tenant) = try await Self.named(choice, by: reader)
            return quarantined
                ? try await reader.quarantined(of: source, tenant: tenant, before: before, limit: limit)
                : try await reader.newest(of: source, tenant: tenant, before: before, limit: limit)
        }
        return Answer(page.entries.map(EventLine.init), next: page.next?.description)
    }

    /// A source that belongs to the tenant has all of its events there, also those that name no tenant yet.
    private static func named(
        _ choice: EventChoice, by reader: EventReader
    ) async throws -> (source: SourceID?, tenant: TenantID?) {
        guard let slug = choice.source else { return (nil, choice.tenant) }
        let (source, isOfTenant) = try await reader.source(named: slug, tenant: choice.tenant)
        return (source, isOfTenant ? nil : choice.tenant)
    }

    /// Returns one event; nil when there is none.
    package func event(_ id: EventID) async throws -> EventDetailLine? {
        let kept = TimeInterval(self.settings.quarantineDays * 86_400)
        return try await self.withPool { try await EventReader(pool: $0).show(id) }
            .map { EventDetailLine($0, keptFor: kept) }
    }

    // MARK: Quarantine

    /// Tries one event again by today's mapping; nil when none of that id was in quarantine. With `isDry` nothing is
    /// written.
    package func replay(_ id: EventID, isDry: Bool) async throws -> ReplayLine? {
        try await self.withParts { parts in
            try await EventReplay(pool: parts.pool, vault: parts.vault).replay(id, isDry: isDry)
        }.map { ReplayLine($0, isDry: isDry) }
    }

    /// Tries the open events of a source again, in the order of their arrival: those that `event list --quarantined`
    /// shows for the same choice. `reason`: only those. `failure` is what has ended the run before its end.
    package func replay(
        of choice: EventChoice, reason: String?, isDry: Bool
    ) async throws -> (lines: [ReplayLine], failure: (any Error)?) {
        let run: ReplayRun = try await self.withParts { parts in
            let (source, tenant) = try await Self.named(choice, by: EventReader(pool: parts.pool))
            guard let source else { return ReplayRun() }
            return await EventReplay(pool: parts.pool, vault: parts.vault)
                .replay(of: source, tenant: tenant, reason: reason, isDry: isDry)
        }
        return (run.reports.map { ReplayLine($0, isDry: isDry) }, run.failure.map(SharedParts.explained))
    }

    /// Takes an event out of quarantine unused; nil when none of that id was there.
    package func drop(_ id: EventID) async throws -> DropLine? {
        let drop = try await self.withParts { parts in
            try await EventReplay(pool: parts.pool, vault: parts.vault).drop(id)
        }
        switch drop {
        case .dropped: return DropLine(id, reason: nil)
        case .settled(let reason): return DropLine(id, reason: reason)
        case .unknown: return nil
        }
    }
}
