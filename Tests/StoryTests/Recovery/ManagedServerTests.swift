// SPDX-License-Identifier: Apache-2.0
// The whole story on a rented server: a login that migrates, a login that serves, and no superuser anywhere.

import AsyncHTTPClient
import Foundation
import Logging
import Model
import NIOHTTP1
import Postgres
import Schema
import Testing

@testable import Composition

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
            #expect(sql.contains("grant dialtone_service to dialtone_app"))
            try await place.host.script(sql)
            #expect(try await place.migrate().count == Migration.all.count)
        }
    }

    /// Before PostgreSQL 16 any login with CREATEROLE may grant these roles.
    @Test(arguments: [nil, "with set false", "with inherit true, set false"])
    func `roles that another login made need a grant, and the message says which and who may run it`(
        membership: String?
    ) async throws {
        try await ManagedPlace.with { place in
            let isNew = try await place.makeRolesWithAnotherLogin()
            if let membership, isNew {
                try await place.host.script("grant dialtone_owner to dialtone_migrator \(membership)")
            }
            guard isNew else {
                #expect(try await place.migrate().count == Migration.all.count)
                return
            }
            let error = await #expect(throws: SchemaError.self) { try await place.migrate() }
            guard case .rolesMissing("dialtone", let sql, let granters)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(
                sql.contains("dialtone_owner, dialtone_service, dialtone_tenant to dialtone_migrator with set true;"))
            #expect(granters == ["other_migrator"])
            #expect(error?.description.contains("other_migrator") == true)
            try await place.host.script(sql)
            #expect(try await place.migrate().count == Migration.all.count)
        }
    }

    @Test func `the login that migrates sees what is to be applied and what was, and that changes nothing`()
        async throws
    {
        try await ManagedPlace.with { place in
            let administration = Administration(try await place.settings("dialtone_migrator"))
            let versions = Migration.all.map(\.version)
            #expect(try await administration.migrate(dryRun: true).map(\.version) == versions)
            #expect(try await administration.migrations().filter { $0.applied_at == nil }.map(\.version) == versions)
            let made = try await place.host.query(
                """
                select 1 from pg_roles where rolname = 'dialtone_owner'
                union all select 1 from pg_namespace where nspname = 'dialtone'
                """)
            #expect(made.isEmpty)
            try await place.migrate()
            #expect(try await administration.migrate(dryRun: true).isEmpty)
            #expect(try await administration.migrations().filter { $0.applied_at != nil }.map(\.version) == versions)
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
            for start in 1...2 {
                let log = LogLines()
                _ = try await DatabaseStart(settings: accepted, roles: [.api, .worker], logger: log.logger).run()
                let warnings = log.all.filter {
                    $0.level == .warning && $0.text.contains("DIALTONE_DURABILITY=storage")
                }
                for setting in ["fsync=off", "full_page_writes=off"] {
                    #expect(warnings.count { $0.text.contains(setting) } == 1, "start \(start): \(warnings)")
                }
            }
        }
    }

    /// A server may have it off for its other databases. The service's own sessions turn it on.
    @Test(arguments: [
        "alter system set synchronous_commit = off", "alter database dialtone set synchronous_commit = off",
        "alter role dialtone_app set synchronous_commit = off",
    ])
    func `commits of the service wait for the disk, whatever other sessions do`(statement: String) async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.host.script(statement)
            try await place.host.script("select pg_reload_conf()")
            try await place.untilCommitsDoNotWait()
            let settings = try await place.settings("dialtone_app")
            try await Story.withNode(settings) { _ in }
            let problems = try await Administration(settings).check(provider: false).compactMap(\.problem)
            #expect(problems.isEmpty, "\(problems)")
            let session = try await PostgresConnection.connect(try SharedParts.database(settings))
            let row = try await session.query("select current_setting('synchronous_commit')").first
            let value = try row?.decode(String.self)
            #expect(value == "on")
            await session.close()
        }
    }
}

extension ManagedPlace {
    /// Another login with CREATEROLE makes Dialtone's roles, for a database of its own. Returns whether the server is
    /// PostgreSQL 16 or newer, where such roles belong to their maker.
    fileprivate func makeRolesWithAnotherLogin() async throws -> Bool {
        try await self.host.script("create role other_migrator login createrole createdb")
        try await self.host.script("create database other owner other_migrator")
        let settings = try await self.settings("other_migrator", database: "other")
        _ = try await Administration(settings).migrate(wait: .seconds(30), makesRolesOnly: true, tell: { _ in })
        return try await !self.host.query("select 1 where current_setting('server_version_num')::integer >= 160000")
            .isEmpty
    }

    /// Waits until a new session of the serving login has the setting: a reload takes effect some time after.
    fileprivate func untilCommitsDoNotWait() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let session = try await PostgresConnection.connect(PostgresConfiguration(url: self.url("dialtone_app")))
            let row = try await session.query("select current_setting('synchronous_commit')").first
            await session.close()
            let value = try row?.decode(String.self)
            if value == "off" { return }
            try #require(ContinuousClock.now < deadline, "the setting is not in force")
        }
    }
}
