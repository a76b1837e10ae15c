// SPDX-License-Identifier: Apache-2.0
// Finds what an id belongs to, whatever kind of id it is: people paste what they have.

import Foundation
package import Model
import Postgres
package import Vault

/// Every look-up is by a key, and exact, but for the beginning of a user's id.
package struct Finder: Sendable {
    private let reads: TenantReads
    private let vault: Vault

    package init(reads: TenantReads, vault: Vault) {
        self.reads = reads
        self.vault = vault
    }

    /// Users shown whose id begins with the text.
    private static let mostByPrefix = 5

    /// Returns what the text is, the best first, and of it what a key with these scopes may see. One round trip,
    /// and another for an operator.
    package func find(
        _ text: String, in tenant: TenantID, as reader: Reader, with scopes: Set<Scope> = Set(Scope.allCases)
    ) async throws -> [Found] {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...255).contains(text.utf8.count), !text.utf8.contains(0) else { return [] }
        let index = try await self.vault.blindIndex(for: tenant.rawValue)
        let rows = try await self.reads.rows(as: reader, Self.questions(text, of: tenant, index))
        var found: [Found] = try rows[0].map { row in
            let id = try row.decode(String.self)
            return Self.user(id, of: tenant, id == text ? "the user's id" : "the user's id begins so")
        }
        for (place, words) in [
            (1, "the SIP username is the user's"), (2, "the e-mail address is the user's"),
            (3, "the credential is the user's"), (6, "it is behind what is wanted of the user"),
        ] {
            found += try rows[place].map { Self.user(try $0.decode(String.self), of: tenant, words) }
        }
        found += try rows[8].map { row in
            let (id, action, at) = try row.decode(String.self, String.self, Date.self)
            return Self.user(id, of: tenant, "an operator's \(action) of the user, \(RFC3339.text(at))")
        }
        found += try rows[4].map { try Self.event($0, of: tenant, "the event's id") }
        var deliveries = Array(rows[5])
        if reader.seesShared {
            let ofShared = Self.delivery(text, of: tenant, by: .shared(tenant))
            deliveries += try await self.reads.rowsOfAll(by: reader.key, ofShared)
        }
        found += try deliveries.map { try Self.event($0, of: tenant, "the sender's id of the delivery") }
        found += try rows[7].map {
            Found(kind: "key", id: try $0.decode(String.self), text: "the API key's id", path: nil, userID: nil)
        }
        var seen: Set<String> = []
        return found.filter { Self.isShown($0, with: scopes) && seen.insert("\($0.kind) \($0.id)").inserted }
    }

    /// Whether a key with these scopes may see it. No other route shows an event, or an API key, for `users:read` alone.
    private static func isShown(_ found: Found, with scopes: Set<Scope>) -> Bool {
        switch found.kind {
        case "event": scopes.contains(.eventsRead)
        case "key": scopes.contains(.keysRead)
        default: true
        }
    }

    // MARK: What was found

    private static func user(_ id: String, of tenant: TenantID, _ words: String) -> Found {
        Found(
            kind: "user", id: id, text: words, path: "/v1/tenants/\(tenant)/users/\(PathPart.encoded(id))", userID: id)
    }

    private static func event(_ row: PostgresRow, of tenant: TenantID, _ words: String) throws -> Found {
        let (id, user) = try row.decode(UUID.self, String?.self)
        return Found(
            kind: "event", id: id.lowercase, text: words, path: "/v1/tenants/\(tenant)/events/\(id.lowercase)",
            userID: user)
    }

    // MARK: Statements

    /// One for each kind of thing, in the order in which `find` reads their rows.
    private static func questions(_ text: String, of tenant: TenantID, _ index: BlindIndex) -> [SQL] {
        [
            Self.users(text, of: tenant),
            Self.bySIPUsername(Bytes(index.hash(text, column: "sip_username")), of: tenant),
            Self.byEmail(Bytes(index.hash(PersonName.folded(text), column: "email")), of: tenant),
            Self.byCredential(text, of: tenant), Self.event(UUID(uuidString: text), of: tenant),
            Self.delivery(text, of: tenant, by: .own(tenant)), Self.cause(UUID(uuidString: text), of: tenant),
            Self.key(text, of: tenant), Self.action(text, of: tenant),
        ]
    }

    /// The user of that id, and those whose ids begin so. Index users_pkey.
    private static func users(_ text: String, of tenant: TenantID) -> SQL {
        """
        select user_id from dialtone.users
        where tenant_id = \(tenant) and user_id >= \(text) and user_id < \(text + "\u{10FFFF}")
        order by user_id limit \(Self.mostByPrefix)
        """
    }

    /// Index credentials_username.
    private static func bySIPUsername(_ index: Bytes, of tenant: TenantID) -> SQL {
        """
        select distinct user_id from dialtone.credentials
        where tenant_id = \(tenant) and username_index = \(index) and \(ListIndex.usernames) and status <> 'deleted'
        """
    }

    /// Index person_names_email.
    private static func byEmail(_ index: Bytes, of tenant: TenantID) -> SQL {
        """
        select user_id from dialtone.person_names where tenant_id = \(tenant) and email_index = \(index)
        order by user_id limit 20
        """
    }

    /// Index credentials_provider_id_key, and surplus_pkey for a second credential.
    private static func byCredential(_ text: String, of tenant: TenantID) -> SQL {
        """
        select owner.user_id from (
            select user_id, tenant_id from dialtone.credentials where provider_id = \(text) offset 0) owner
        where owner.tenant_id = \(tenant)
        union
        select owner.user_id from (
            select user_id, tenant_id from dialtone.surplus where provider_id = \(text) offset 0) owner
        where owner.tenant_id = \(tenant) and owner.user_id is not null
        """
    }

    /// Index events_pkey.
    private static func event(_ id: UUID?, of tenant: TenantID) -> SQL {
        """
        select one.event_id, one.user_id from (
            select * from dialtone.events where event_id = \(id)::uuid offset 0) one
        where one.tenant_id = \(tenant)
        """
    }

    /// A delivery's id is its sender's own, so each of these sources is asked. The form `source:delivery` names one.
    /// The ledger has a hash of the id where the source signs no time. Index events_source_id_delivery_id_item_key.
    private static func delivery(_ text: String, of tenant: TenantID, by senders: Senders) -> SQL {
        """
        select event.event_id, event.user_id
        from (\(senders.withDeleted) offset 0) sender
        cross join lateral (
            select case when starts_with(\(text), sender.slug || ':') then substr(\(text), length(sender.slug) + 2)
                        else \(text) end as id offset 0) told
        cross join lateral (
            select * from dialtone.events
            where events.source_id = sender.source_id
              and events.delivery_id = any(array[told.id, \(DeliveryHash.of("told.id", from: "sender.source_id"))])
            order by events.item limit 20) event
        where event.tenant_id = \(tenant)
        """
    }

    /// The user whose present wish an event or an action is behind: what the event did stands in `effects`, or in its
    /// own row. Indexes events_pkey and effects_pkey.
    private static func cause(_ id: UUID?, of tenant: TenantID) -> SQL {
        """
        select one.user_id from (
            select * from dialtone.effects where event_id = \(id)::uuid and tenant_id = \(tenant) offset 0) one
        """
    }

    /// A key is shown as `dtk_<id>_…`. Index api_keys_pkey.
    private static func key(_ text: String, of tenant: TenantID) -> SQL {
        let parts = text.split(separator: "_", maxSplits: 2)
        let id = parts.count >= 2 && parts[0] == "dtk" ? String(parts[1]) : text
        return """
            select one.key_id from (
                select key_id, tenant_id from dialtone.api_keys where key_id = \(id) offset 0) one
            where one.tenant_id = \(tenant)
            """
    }

    /// The user of an action, by the id of its request or by its own. Indexes actions_request and actions_pkey.
    private static func action(_ text: String, of tenant: TenantID) -> SQL {
        """
        select user_id, action, at from dialtone.actions
        where tenant_id = \(tenant) and request_id in (\(text), \(UUID(uuidString: text)?.lowercase ?? text))
        union
        select one.user_id, one.action, one.at from (
            select user_id, tenant_id, action, at from dialtone.actions
            where action_id = \(UUID(uuidString: text))::uuid offset 0) one
        where one.tenant_id = \(tenant)
        limit 20
        """
    }
}
