// SPDX-License-Identifier: Apache-2.0
// Another tenant beside the story's own, with a user who is ready: what must be hidden.

import Composition
import Foundation
import Intake
import Model
import NIOHTTP1
import Postgres
import Testing

extension Story {
    /// What is known of the other tenant's user.
    struct Hidden: Sendable {
        var event: String
        var credential: String
        var username: String
    }

    /// A key of a tenant with these scopes.
    func keyOfTenant(_ tenant: String, _ scopes: [Scope]) async throws -> String {
        try await self.administration.createKey(tenant: try TenantID(tenant), scopes: scopes).key
    }

    /// Makes the tenant, signs a user up there, and waits for the credential.
    func secondTenant(_ name: String, user: String, delivery: String) async throws -> Hidden {
        let tenant = try TenantID(name)
        _ = try await self.administration.createTenant(tenant, connectionID: "1000000002")
        let source = try await self.administration.createSource(
            "\(name)-app", tenant: tenant, allowed: [], preset: "standard")
        let sender = try SignUpSender(url: source.url, secret: Secret(try source.madeSecret()), http: self.http)
        let reply = try await sender.send(
            type: "user.created", user: UserKey(tenant: tenant, user: try UserID(user)), deliveryID: delivery,
            at: Date(), occurredAt: Date())
        struct Receipt: Decodable { var event_id: String }
        let event = try JSONDecoder().decode(Receipt.self, from: Data(reply.body.utf8)).event_id
        try await self.until("select 1 from dialtone.users where tenant_id = \(name) and status = 'ready'")
        struct Entry: Decodable {
            var credential_id: String
            var sip_username: String
        }
        let key = try await self.keyOfTenant(name, Scope.allCases)
        let shown = try await self.request(
            .GET, "/v1/tenants/\(name)/users/\(user)", "", ["authorization": "Bearer \(key)"])
        let entry = try JSONDecoder().decode(Entry.self, from: Data(shown.body.utf8))
        return Hidden(event: event, credential: entry.credential_id, username: entry.sip_username)
    }
}
