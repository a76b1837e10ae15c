// SPDX-License-Identifier: Apache-2.0
// An operator's action on one user changes what is wanted. It is kept beside what the sources have told.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserActionsTests {
    /// The sender's clock may be behind the database's. Its next delete would then be older than a time of our own.
    @Test func `a revoke leaves the sender's time, and a reopening moves it on by a microsecond`() async throws {
        try await TestDatabase.with { database in
            let occurredAt = Date(timeIntervalSince1970: 1_767_225_600)
            try await database.insert(Ledger.user(status: .ready, occurredAt: occurredAt))
            let actions = UserActions(pool: database.pool, request: "request-1")
            #expect(try await actions.revoke(testUserKey) == .revoking)
            let held: SQL = "select 1 from dialtone.users where occurred_at = \(occurredAt) and held_at is not null"
            #expect(try await database.admin.query(held).count == 1)
            #expect(try await actions.reopen(testUserKey) == .pending)
            let open: SQL = """
                select 1 from dialtone.users
                where occurred_at = \(occurredAt) + interval '1 microsecond' and held_at is null and generation = 2
                """
            #expect(try await database.admin.query(open).count == 1)
        }
    }

    /// Nothing else would let a later sign-up be newer than a line that has no time.
    @Test func `a revoke begins the line of a user whose sender gave no time`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.user(status: .ready))
            _ = try await UserActions(pool: database.pool, request: "request-1").revoke(testUserKey)
            let begun: SQL = "select 1 from dialtone.users where occurred_at = '-infinity'"
            #expect(try await database.admin.query(begun).count == 1)
        }
    }

    @Test func `a user whom the sender has taken away is held when an operator revokes too`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.user(wanted: .gone, status: .revoked))
            #expect(try await UserActions(pool: database.pool, request: "request-1").revoke(testUserKey) == .revoked)
            let held: SQL = "select 1 from dialtone.users where held_at is not null and wished_by is null"
            #expect(try await database.admin.query(held).count == 1)
        }
    }

    @Test func `each action leaves a row with the id of its request, and the wish names its action`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.user(status: .ready))
            _ = try await UserActions(pool: database.pool, request: "r-1").rotate(testUserKey, overlap: .zero)
            _ = try await UserActions(pool: database.pool, request: "r-2").revoke(testUserKey)
            let ofRevoke: SQL = """
                select 1 from dialtone.users join dialtone.actions on action_id = cause_id where request_id = 'r-2'
                """
            #expect(try await database.admin.query(ofRevoke).count == 1)
            _ = try await UserActions(pool: database.pool, request: "r-3").reopen(testUserKey)
            _ = try await UserActions(pool: database.pool, request: "r-4").retry(testUserKey)
            let rows = try await database.admin.query(
                """
                select concat_ws(' ', action, request_id, actions.generation, actions.tenant_id, actions.user_id,
                                 cause_id is not null)
                from dialtone.actions left join dialtone.users on cause_id = action_id order by request_id
                """
            ).map { try $0.decode(String.self) }
            #expect(
                rows == [
                    "rotate r-1 2 acme user-1 f", "revoke r-2 2 acme user-1 f", "reopen r-3 3 acme user-1 t",
                    "retry r-4 3 acme user-1 f",
                ])
        }
    }

    @Test func `an action that cannot be done leaves no row`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.user(status: .ready))
            await #expect(throws: UserActionError.notRevoked(.ready)) {
                try await UserActions(pool: database.pool, request: "r-1").reopen(testUserKey)
            }
            #expect(try await database.admin.query("select 1 from dialtone.actions").isEmpty)
        }
    }

    /// A deletion without a time stands at infinity: nothing that is told later would be newer.
    @Test(arguments: [
        Told(person: "'2027-01-15 12:00Z'", member: "'2027-01-15 11:00Z'", state: "live"),
        Told(person: "'infinity'", member: "'2027-01-15 11:00Z'", state: "live"),
        Told(person: "null", member: "'2027-01-15 11:00Z'", state: "gone"),
        Told(person: "null", member: "'infinity'", state: "gone"),
        Told(person: "'2027-01-15 12:00Z'", member: "'infinity'", state: "gone"),
    ])
    func `a reopened user's memberships are open again just after all that was told`(_ told: Told) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.user(wanted: .gone, status: .revoked))
            try await database.admin.script(told.rows)
            _ = try await UserActions(pool: database.pool, request: "request-1").reopen(testUserKey)
            let states = try await database.admin.query(
                """
                select external_tenant || ' ' || membership.state || ' '
                       || (membership.told_at > coalesce(ended_at, '-infinity') and person.state = 'live') || ' '
                       || isfinite(membership.told_at) || ' ' || coalesce(isfinite(ended_at), true)
                from dialtone.memberships membership join dialtone.people person using (source_id, external_user)
                order by 1
                """
            ).map { try $0.decode(String.self) }
            #expect(states[0] == "ours live true true true")
            #expect(states[1].hasPrefix("theirs \(told.state) "), "another tenant's membership is left alone")
        }
    }

    struct Told: Sendable, CustomTestStringConvertible {
        /// SQL of the deletion's time.
        var person: String
        /// SQL of the membership's time.
        var member: String
        var state: String

        var testDescription: String { "deleted \(self.person), \(self.state) \(self.member)" }

        /// A suspended person with a membership of the test's tenant and one of another.
        var rows: String {
            let source = "00000000-0000-0000-0000-000000000001"
            return """
                insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1');
                insert into dialtone.sources (source_id, slug, hook_id, preset, is_tracked)
                values ('\(source)', 'people', 'hk_people', 'clerk', true);
                insert into dialtone.people (source_id, external_user, state, told_at, ended_at)
                values ('\(source)', '\(testUser)', 'suspended', 'infinity', \(self.person));
                insert into dialtone.memberships (source_id, external_user, external_tenant, state, told_at, tenant_id)
                values ('\(source)', '\(testUser)', 'ours', '\(self.state)', \(self.member), '\(testTenant)'),
                       ('\(source)', '\(testUser)', 'theirs', '\(self.state)', \(self.member), 'globex')
                """
        }
    }
}
