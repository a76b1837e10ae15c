// SPDX-License-Identifier: Apache-2.0
// A server that hides which one it is: every check names the function, and the weaker mode works all the same.

import AsyncHTTPClient
import Foundation
import Logging
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@testable import Composition

@Suite struct HiddenIdentityTests {
    @Test func `a hidden function is named by check, the log and the worker's readiness, and the process starts`()
        async throws
    {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.host.script("revoke execute on function pg_control_system() from public")
            let status = "127.0.0.1:\(try FreePort.find())"
            let settings = try await place.settings("dialtone_app", ["DIALTONE_STATUS_LISTEN": status])
            let checked = try await Administration(settings).check(provider: false)
            #expect(checked.contains { $0.problem?.contains("pg_control_system()") == true }, "\(checked)")
            let lines = LogLines()
            _ = try await DatabaseStart(settings: settings, roles: [.worker], logger: lines.logger).run()
            let told = lines.all.filter { $0.level == .error }
            #expect(told.count == 1 && told.first?.text.contains("pg_control_system()") == true, "\(told)")
            try await Story.withNode(settings) { address in
                try await place.waitUntilReadiness(at: status, names: "pg_control_system()")
                // The api can do its work.
                let ready = try await place.provider.http.reply(.GET, address + "/readyz")
                #expect(ready.status == 200, "\(ready.body)")
            }
        }
    }

    @Test(arguments: ["0A000", "55000"])
    func `a function that always fails is named by check and the worker's readiness`(state: String) async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.failIdentity(with: state)
            let status = "127.0.0.1:\(try FreePort.find())"
            let settings = try await place.settings("dialtone_app", ["DIALTONE_STATUS_LISTEN": status])
            let problems = try await Administration(settings).check(provider: false).compactMap(\.problem)
            #expect(problems.contains { $0.contains("pg_control_system()") && !$0.contains("grant") }, "\(problems)")
            try await Story.withNode(settings) { _ in
                try await place.waitUntilReadiness(at: status, names: "pg_control_system()")
            }
        }
    }

    /// Nothing but the start is to be had here, and nothing is created twice.
    @Test func `where the functions always fail, every restart looks first, and so does a create in doubt`()
        async throws
    {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.failIdentity(with: "0A000")
            let settings = try await place.settings(
                "dialtone_app", Story.quick.merging(["DIALTONE_SERVER_IDENTITY": "start"]) { $1 })
            let checked = try await Administration(settings).check(provider: false)
            #expect(checked.allSatisfy { $0.problem == nil }, "\(checked)")
            let customer = try await place.makeCustomer(settings)
            try await Story.withNode(settings) { address in
                try await place.signUp("first", of: customer, at: address)
                #expect(try await place.looks(for: "first") == 0)
                for _ in 1...2 { try await place.meetRestart() }
                try await place.signUp("after", of: customer, at: address)
                #expect(try await place.looks(for: "after") >= 2, "too early an answer is not believed")
                try await place.provider.misbehaves(.lostAnswer)
                try await place.signUp("doubtful", of: customer, at: address)
                #expect(try await place.looks(for: "doubtful") >= 2)
                #expect(try await place.send(.deleted, "first", of: customer, to: address, at: Date() + 60) == 202)
                try await place.until("select 1 from dialtone.jobs where user_id = 'first' and state = 'scheduled'")
            }
            #expect(try await place.provider.callsInAll() == .init(creates: 3, deletes: 0))
        }
    }

    @Test func `known by its start alone, a restarted server waits for an operator before it deletes`() async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.host.script(
                "revoke execute on function pg_control_system(), pg_walfile_name(pg_lsn) from public")
            let settings = try await place.settings("dialtone_app", ["DIALTONE_SERVER_IDENTITY": "start"])
            let customer = try await place.makeCustomer(settings)
            try await Story.withNode(settings) { address in
                try await place.signUp("u", of: customer, at: address)
                // As if the server had been started again.
                try await place.host.script("update dialtone.incarnation set started = started - 1")
                try await place.until("select 1 from dialtone.incarnation where change = 'unknown' and is_stopped")
                #expect(try await place.send(.deleted, "u", of: customer, to: address, at: Date() + 60) == 202)
                try await place.until("select 1 from dialtone.jobs where user_id = 'u' and state = 'scheduled'")
                #expect(try await place.provider.ids().count == 1)
                let administration = Administration(settings)
                try await administration.confirmInstallation(isClone: false)
                _ = try await administration.retry(try Story.user("u"))
                try await place.until("select 1 from dialtone.users where user_id = 'u' and status = 'revoked'")
            }
            #expect(try await place.provider.ids().isEmpty)
        }
    }
}

extension ManagedPlace {
    /// Lets the functions that tell servers apart raise `state`, for all sessions that begin later.
    fileprivate func failIdentity(with state: String) async throws {
        let functions = [
            "pg_control_system() returns table (system_identifier bigint)",
            "pg_current_wal_insert_lsn() returns pg_lsn", "pg_walfile_name(pg_lsn) returns text",
        ]
        try await self.host.script("create schema hidden; grant usage on schema hidden to public")
        for function in functions {
            try await self.host.script(
                """
                create function hidden.\(function) language plpgsql as
                $$ begin raise exception 'not here' using errcode = '\(state)'; end $$
                """)
        }
        try await self.host.script("alter database dialtone set search_path = hidden, pg_catalog, public")
    }

    /// As if the server had been started again. Visits are held back, so that the distrust lasts.
    fileprivate func meetRestart() async throws {
        try await self.host.script(
            """
            insert into dialtone.provider_limits (scope, paused_until) values ('kind:sweep', now() + interval '1 hour')
            on conflict (scope) do update set paused_until = excluded.paused_until;
            update dialtone.incarnation set started = started - 1, change = 'first'
            """)
        try await self.until("select 1 from dialtone.incarnation where change = 'unknown'")
    }

    /// How often the user's jobs looked, or were put off to look.
    fileprivate func looks(for user: String) async throws -> Int {
        try await self.host.query(
            "select 1 from dialtone.job_log where user_id = \(user) and to_state in ('in_doubt', 'looking')"
        ).count
    }

    /// Waits until the status listener's `/readyz` is 503 and has the word, for 60 seconds.
    fileprivate func waitUntilReadiness(at status: String, names word: String) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let reply = try await self.provider.http.reply(.GET, "http://\(status)/readyz")
            if reply.status == 503 && reply.body.contains(word) { return }
            try #require(ContinuousClock.now < deadline, "\(reply.status) \(reply.body)")
            _ = try await self.host.query("select pg_sleep(0.05)::text")
        }
    }
}
