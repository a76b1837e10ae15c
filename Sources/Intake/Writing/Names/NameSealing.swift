// SPDX-License-Identifier: Apache-2.0
// Seals the names of a batch before its transaction begins, so that no lock waits for a key.

import Logging
import Model
import Postgres
import Vault

/// A batch without a name costs a look at its events, and nothing else.
struct NameSealing: Sendable {
    private let keys: NameKeys
    private let logger: Logger?

    init(vault: Vault, logger: Logger? = nil) {
        self.keys = NameKeys(vault: vault)
        self.logger = logger
    }

    /// Seals for the tenants that the events name.
    ///
    /// Cancelled here: a key that is not in memory is read all the same, for whoever asks next.
    func seal(_ events: [NewEvent]) async -> [NewEvent] {
        guard events.contains(where: { $0.name != nil }) else { return events }
        return await self.seal(events) { [$0.change.user.tenant] }
    }

    /// Seals for each tenant in which the word may meet its person: `NamedPlaces` reads them.
    ///
    /// Cancelled here: the read goes on, because a batch belongs to the writer and not to its shutdown.
    func seal(_ words: [NewWord], in pool: PostgresPool) async throws -> [NewWord] {
        let named = words.filter { $0.name != nil }
        guard !named.isEmpty else { return words }
        let tenants = try await NamedPlaces.read(named, in: pool)
        return await self.seal(words) { tenants[$0.id] ?? [] }
    }

    /// Takes each tenant's keys once. A tenant whose keys cannot be had gets no names: a sign-up never waits for one.
    private func seal<Event: NamingEvent>(_ events: [Event], for tenants: (Event) -> [TenantID]) async -> [Event] {
        var events = events
        let named = events.filter { $0.name?.told != nil }
        let wanted = Set(named.flatMap(tenants))
        let sealers = await self.keys.sealers(of: wanted)
        for place in events.indices {
            guard let told = events[place].name?.told else { continue }
            for tenant in tenants(events[place]) {
                guard let sealer = sealers[tenant] else { continue }
                let user = UserKey(tenant: tenant, user: events[place].namedUser)
                guard let sealed = try? Self.seal(told, of: user, by: sealer) else { continue }
                events[place].name?.sealed.append(sealed)
            }
        }
        let without = wanted.count - sealers.count
        if without > 0 {
            self.logger?.warning("names were not kept, because keys were missing", metadata: ["tenants": "\(without)"])
        }
        return events
    }

    private static func seal(_ told: PersonName, of user: UserKey, by sealer: Sealer) throws -> SealedName {
        SealedName(
            tenant: user.tenant, sealed: try sealer.seal(told.sealedText, .personName(of: user)),
            emailIndex: told.email.map { sealer.blindIndex(PersonName.folded($0), column: "email") })
    }
}
