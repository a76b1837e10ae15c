// SPDX-License-Identifier: Apache-2.0
// The whole story on a rented server: a login that migrates, a login that serves, and no superuser anywhere.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import Schema
import Testing

@Suite struct ManagedServerTests {
    @Test func `a sign-up becomes a credential where no login is a superuser`() async throws {
        try await ManagedPlace.with { place in
            #expect(try await place.migrate().count == Migration.all.count)
            #expect(try await place.migrate().isEmpty)
            let settings = try await place.settings("dialtone_app")
            let customer = try await place.makeCustomer(settings)
            try await Story.withNode(settings) { address in
                try await place.signUp("u", of: customer, at: address)
                let swept = try await Administration(settings).sweep(SweepOptions())
                #expect(swept.failure == nil)
                #expect(try await place.send(.deleted, "u", of: customer, to: address, at: Date() + 60) == 202)
                try await place.until("select 1 from dialtone.users where user_id = 'u' and status = 'revoked'")
            }
            #expect(try await place.provider.ids().isEmpty)
        }
    }

    @Test func `check is content with the serving login and warns of the migrating one`() async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            let serving = try await Administration(try await place.settings("dialtone_app")).check(provider: false)
            #expect(serving.allSatisfy { $0.problem == nil }, "\(serving)")
            #expect(!serving.contains { $0.name.contains("WARNING") }, "\(serving)")
            let migrating = try await Administration(try await place.settings("dialtone_migrator")).check(
                provider: false)
            let warning = try #require(migrating.map(\.name).first { $0.contains("WARNING") })
            #expect(warning.contains("CREATEROLE") && warning.contains("owner of the schema"), "\(warning)")
        }
    }

    /// Before PostgreSQL 16 the setting does not exist, and nothing is granted by itself.
    @Test func `rights that the server grants the maker of a role are enough`() async throws {
        try await ManagedPlace.with { place in
            try await place.host.script(
                """
                do $$ begin
                    if current_setting('server_version_num')::integer >= 160000 then
                        alter role dialtone_migrator set createrole_self_grant = 'set';
                    end if;
                end $$
                """)
            #expect(try await place.migrate().count == Migration.all.count)
            #expect(try await place.migrate().isEmpty)
        }
    }

    @Test func `what a login may not do is printed for an administrator, and nothing else is left to do`() async throws
    {
        try await ManagedPlace.with { place in
            try await place.host.script("alter role dialtone_migrator nocreaterole")
            let error = await #expect(throws: SchemaError.self) { try await place.migrate() }
            guard case .rolesMissing("dialtone", let sql, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(sql.contains("grant dialtone_service to dialtone_app;"))
            try await place.host.script(sql)
            #expect(try await place.migrate().count == Migration.all.count)
        }
    }

    @Test func `a login that was not made a member is told so, and no request is answered with it`() async throws {
        try await ManagedPlace.with { place in
            _ = try await Administration(try await place.settings("dialtone_migrator")).migrate(
                wait: .seconds(30), tell: { _ in })
            let settings = try await place.settings("dialtone_app")
            let error = await #expect(throws: SchemaError.self) {
                try await Story.withNode(settings) { _ in }
            }
            #expect(error?.description.contains("dialtone migrate --serve-as dialtone_app") == true)
        }
    }

    @Test func `the login that serves is not told how to become the owner`() async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            let settings = try await place.settings("dialtone_app")
            // A later version of the program, with a migration to apply.
            try await place.host.script("delete from dialtone.schema_migrations where version = 8")
            let error = await #expect(throws: SchemaError.self) {
                _ = try await Administration(settings).migrate(wait: .seconds(30), tell: { _ in })
            }
            #expect(error?.description.contains("dialtone_app serves and may not migrate") == true)
        }
    }

    @Test func `storage that is durable by itself is accepted when an operator says so`() async throws {
        try await ManagedPlace.with(serverSettings: ["fsync": "off", "full_page_writes": "off"]) { place in
            try await place.migrate()
            let refused = try await place.settings("dialtone_app")
            let error = await #expect(throws: SchemaError.self) { try await Story.withNode(refused) { _ in } }
            #expect(error?.description.contains("DIALTONE_DURABILITY=storage") == true)
            let accepted = try await place.settings("dialtone_app", ["DIALTONE_DURABILITY": "storage"])
            let customer = try await place.makeCustomer(accepted)
            try await Story.withNode(accepted) { address in
                let ready = try await place.provider.http.reply(.GET, address + "/readyz")
                #expect(ready.status == 200, "\(ready.body)")
                try await place.signUp("u", of: customer, at: address)
            }
            let lines = try await Administration(accepted).check(provider: false)
            #expect(lines.contains { $0.name.contains("fsync=off") && $0.problem == nil }, "\(lines)")
        }
    }
}
