// SPDX-License-Identifier: Apache-2.0
// What a database can never take: a caller is told 422 on every route, and check names a database that is of no use.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite struct RefusedValueTests {
    /// The service reads rows through a policy, and this one refuses the user `bad`.
    @Test(arguments: ["22021", "23514", "54000"])
    func `a value that the database never takes is 422 on each route about one user, and never 503`(
        state: String
    ) async throws {
        try await Story.with { story in
            try await story.database.insert(
                Ledger.user(try Story.user("bad"), status: .ready), Ledger.user(try Story.user("good"), status: .failed)
            )
            try await story.database.admin.script(
                """
                create function public.refuse(text) returns boolean language plpgsql as
                $$ begin
                    if $1 = 'bad' then raise exception 'refused' using errcode = '\(state)'; end if;
                    return true;
                end $$;
                create policy refuse on dialtone.users as restrictive for select using (public.refuse(user_id))
                """)
            let key: HTTPHeaders = ["authorization": "Bearer \(story.key)"]
            let refused = [
                try await story.loginToken(for: "bad"), try await story.loginToken(for: "bad", wait: 5),
                try await story.request(.GET, "/v1/tenants/acme/users/bad", "", key),
                try await story.request(.GET, "/v1/tenants/acme/users/bad/timeline", "", key),
            ]
            for reply in refused {
                #expect(reply.status == 422 && reply.problem?.code == "invalid_value", "\(reply.status) \(reply.body)")
            }
            let taken = try await story.loginToken(for: "good")
            #expect(taken.status == 409, "other users are served: \(taken.body)")
        }
    }

    @Test(arguments: ["LATIN1", "SQL_ASCII"])
    func `check, serve and migrate name the encoding of a database that is not UTF8`(encoding: String) async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let name = "e_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
            try await database.admin.script(
                "create database \(name) encoding '\(encoding)' lc_collate 'C' lc_ctype 'C' template template0")
            let server = try await TestServer.shared.server()
            let settings = try await Settings.read(
                flags: ["DATABASE_URL": server.url(database: name), "DIALTONE_LISTEN": "127.0.0.1:0"])
            let administration = Administration(settings)
            let problems = try await administration.check(provider: false).compactMap(\.problem)
            let starting = await #expect(throws: (any Error).self) { try await Story.withNode(settings) { _ in } }
            let migrating = await #expect(throws: (any Error).self) {
                _ = try await administration.migrate(wait: .seconds(1), tell: { _ in })
            }
            for text in [
                problems.joined(separator: "\n"), starting.map { "\($0)" } ?? "", migrating.map { "\($0)" } ?? "",
            ] {
                #expect(text.contains("the database \(name) has the encoding \(encoding)"), "\(text)")
            }
            try await database.admin.script("drop database \(name) with (force)")
        }
    }

    /// Each session sets its own.
    @Test func `check is content with a server whose default isolation is another`() async throws {
        try await Story.with { story in
            try await story.database.admin.script(
                """
                do $$ begin
                execute format('alter database %I set default_transaction_isolation = %L', current_database(),
                               'repeatable read');
                end $$
                """)
            let problems = try await story.administration.check(provider: false).compactMap(\.problem)
            #expect(problems == [])
            try await story.signUp("u")
        }
    }
}
