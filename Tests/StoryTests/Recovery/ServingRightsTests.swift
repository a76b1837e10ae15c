// SPDX-License-Identifier: Apache-2.0
// Every route and every command of an operator, with a login that has what the README grants and nothing else.

import AsyncHTTPClient
import Composition
import Directory
import Foundation
import Model
import NIOHTTP1
import Postgres
import Testing

@Suite struct ServingRightsTests {
    @Test func `an operator can do everything with the login that serves`() async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            let settings = try await place.settings("dialtone_app")
            let administration = Administration(settings)
            let customer = try await place.makeCustomer(settings)
            try await Story.withNode(settings) { address in
                try await place.signUp("u", of: customer, at: address)
                try await Self.changeUser(try Story.user("u"), administration, place)
                try await Self.changeAccess(customer, administration, place, at: address)
                try await Self.readEverything(administration)
            }
            #expect(try await place.provider.live() == 2)
        }
    }

    /// Rotates, revokes and reopens; after each the user and the token route are as they should be.
    private static func changeUser(
        _ user: UserKey, _ administration: Administration, _ place: ManagedPlace
    ) async throws {
        _ = try await administration.rotate(user, overlap: .zero)
        try await place.until("select 1 from dialtone.credentials where generation = 1 and status = 'deleted'")
        _ = try await administration.revoke(user)
        try await place.until("select 1 from dialtone.users where status = 'revoked'")
        _ = try await administration.reopen(user)
        try await place.until("select 1 from dialtone.users where status = 'ready' and generation = 3")
        await #expect(throws: (any Error).self, "there is nothing to retry") {
            _ = try await administration.retry(user)
        }
    }

    /// Makes keys and revokes them, and gives the source a new secret while its sender uses the old one.
    private static func changeAccess(
        _ customer: ManagedPlace.Customer, _ administration: Administration, _ place: ManagedPlace, at address: String
    ) async throws {
        let tenant = try TenantID("acme")
        let reader = try await administration.createKey(tenant: tenant, scopes: [.usersRead])
        let operatorKey = try await administration.createKey(tenant: nil, scopes: Scope.allCases)
        for (key, route, status) in [
            (reader.key, "users", 200), (reader.key, "users/u", 200), (reader.key, "users/nobody", 404),
            (operatorKey.key, "users/u/timeline", 200), (operatorKey.key, "users?status=ready&limit=1", 200),
        ] {
            #expect(try await place.get(route, with: key, at: address) == status, "\(route)")
        }
        #expect(try await place.token(#"{"user_id":"u"}"#, with: reader.key, at: address) == 403)
        #expect(try await place.token(#"{"user_id":"u","tenant":"acme"}"#, with: operatorKey.key, at: address) == 200)
        #expect(try await administration.revokeKey(reader.key_id))
        // Never looked up by this service, so its revocation holds at once.
        let closed = try await administration.createKey(tenant: tenant, scopes: [.usersRead])
        #expect(try await administration.revokeKey(closed.key_id))
        #expect(try await place.get("users", with: closed.key, at: address) == 401)

        // The old secret counts for the overlap.
        let rotated = try await administration.rotateSource("app", tenant: tenant, overlap: .seconds(3600))
        #expect(rotated.secret != customer.secret)
        try await place.signUp("v", of: customer, at: address)
        let other = try await administration.createSource("other", tenant: nil, allowed: [tenant], preset: "standard")
        #expect(other.url.contains("/v1/hooks/"))
    }

    private static func readEverything(_ administration: Administration) async throws {
        let tenant = try TenantID("acme")
        #expect(try await administration.tenants().map(\.tenant) == ["acme"])
        let shownTenant = try await administration.tenant(tenant)
        #expect(shownTenant?.connection_id == "1000000001")
        #expect(try await administration.sources(tenant: tenant).map(\.source) == ["app"])
        #expect(try await administration.keys(tenant: tenant).count == 3)
        let (users, shown) = try await Door.database(administration.settings).ask { questions, _ in
            let users = try await questions.users(UserList(of: tenant), after: nil, limit: 200)
            return (users, try await questions.timeline(try Story.user("u"), after: nil, limit: 200))
        }
        #expect(users.data.count == 2 && shown?.data.isEmpty == false)
        _ = try await administration.setRate(50, of: tenant)
        let limits = try await administration.limits()
        #expect(limits.contains { $0.rate == 50 })
        let installation = try await administration.installation()
        #expect(installation?.needs_confirmation == false)
        try await administration.confirmInstallation(isClone: false)
        let swept = try await administration.sweep(SweepOptions())
        #expect(swept.failure == nil)
    }
}

extension ManagedPlace {
    /// Returns the status of the answer.
    fileprivate func get(_ route: String, with key: String, at address: String) async throws -> Int {
        try await self.provider.http.reply(
            .GET, "\(address)/v1/tenants/acme/\(route)", "", ["authorization": "Bearer \(key)"]
        ).status
    }

    /// Returns the status of the answer.
    fileprivate func token(_ body: String, with key: String, at address: String) async throws -> Int {
        try await self.provider.http.reply(
            .POST, "\(address)/v1/login-tokens", body,
            ["authorization": "Bearer \(key)", "content-type": "application/json"]
        ).status
    }
}
