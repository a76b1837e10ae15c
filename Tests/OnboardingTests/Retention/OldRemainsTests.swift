// SPDX-License-Identifier: Apache-2.0
// A credential that is gone keeps no secret, and what nobody asks for any more goes after its time.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldRemainsTests {
    private static func texts(_ statement: SQL, _ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(statement).map { try $0.decode(String.self) }
    }

    @Test func `what is sealed of a credential is overwritten when it is gone, and not before`() async throws {
        try await TestDatabase.with { database in
            for (number, status) in [CredentialStatus.active, .closing, .deleted].enumerated() {
                try await database.insert(
                    Ledger.credential(
                        ProviderID(rawValue: "p-\(status.rawValue)"), generation: Generation(number + 1),
                        status: status))
            }
            try await database.admin.script(
                """
                update dialtone.credentials set sealed_username = 'name', sealed_password = 'word',
                    username_index = decode(repeat('ab', 16), 'hex'),
                    deleted_at = case when status = 'deleted' then now() end
                """)
            try await database.commit([ClosedCredentials.overwrite(limit: 10)])
            let left = try await Self.texts(
                """
                select concat_ws(' ', status, encode(sealed_username, 'escape'), encode(sealed_password, 'escape'),
                                 left(encode(username_index, 'hex'), 2))
                from dialtone.credentials order by generation
                """, database)
            #expect(left == ["active name word ab", "closing name word ab", "deleted   00"])
            let again = try await database.pool.query(ClosedCredentials.overwrite(limit: 10))
            let count = try again.first?.decode(Int64.self)
            #expect(count == 0)
        }
    }

    @Test func `surplus that was deleted long ago is forgotten, and what is still to be deleted never`() async throws {
        try await TestDatabase.with { database in
            for id in ["open", "young", "old"] { try await database.insert(Ledger.surplus(ProviderID(rawValue: id))) }
            try await database.admin.script(
                """
                update dialtone.surplus set found_at = now() - interval '1 year';
                update dialtone.surplus set deleted_at = now() - interval '89 days' where provider_id = 'young';
                update dialtone.surplus set deleted_at = now() - interval '91 days' where provider_id = 'old'
                """)
            try await database.commit([OldRemains.forgetSurplus(after: .seconds(90 * 86_400), limit: 10)])
            let left = try await Self.texts("select provider_id from dialtone.surplus order by 1", database)
            #expect(left == ["open", "young"])
        }
    }

    /// A sender may call its users what it likes.
    @Test func `what is left of an erased person goes after its time, and a user of a like name stays`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            for name in ["erased:1", "erased:2", "erased:3"] {
                let user = UserKey(tenant: testTenant, user: try UserID(name))
                try await database.insert(
                    Ledger.user(user, wanted: .gone, status: .revoked),
                    Ledger.credential(ProviderID(rawValue: name), of: user, status: .deleted))
            }
            try await database.admin.script(
                """
                update dialtone.users set received_at = now() - interval '91 days' where user_id <> 'erased:2';
                update dialtone.users set wished_by = 'erased' where user_id <> 'erased:3'
                """)
            try await database.commit([OldRemains.forgetErased(after: .seconds(90 * 86_400), limit: 10)])
            for table in ["users", "credentials"] {
                let left = try await Self.texts(
                    "select user_id from dialtone.\(unsafeText: table) order by 1", database)
                #expect(left == ["erased:2", "erased:3"], "\(table)")
            }
        }
    }

    @Test func `the chores of remains enter large tables by key`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                for statement in [
                    ClosedCredentials.overwrite(limit: 10), OldRemains.forgetSurplus(after: .seconds(1), limit: 10),
                    OldRemains.forgetErased(after: .seconds(1), limit: 10),
                ] {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.subtracting(["tenants"]).isEmpty, "\(plan)")
                }
            }
        }
    }
}
