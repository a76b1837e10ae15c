// SPDX-License-Identifier: Apache-2.0
// Whoever has made a slip finds it with the page's own lines, and ends with a user who is ready.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct PageRescueTests {
    @Test(arguments: ["clerk", "okta", "supabase"])
    func `whoever sends with another secret reads so in the page's line`(name: String) async throws {
        try await PageVisit.with(name) { visit in
            try await visit.follow()
            let source = try #require(visit.sources.first)
            let preset = try #require(Page.presets[name]?.first)
            try await visit.bash(
                """
                dialtone send --preset \(preset) --url \(source.url) --user u-forged --organization org-forged \
                --tenant acme --forged
                """)
            try await visit.desk.database.until(
                """
                select 1 from dialtone.tally join dialtone.sources using (source_id)
                where slug = \(source.name) and outcome = 'refused'
                """)
            let line = try #require(visit.page.commands.first { $0.hasPrefix("dialtone event list --refused ") })
            let reason = try #require(visit.page.text.firstMatch(of: /`(proof_[a-z]+)` is another secret/)).output.1
            let told = try await visit.bash(line)
            #expect(told.contains(reason), "\(name): \(told)")
        }
    }

    @Test func `a join that came before its organisation was mapped counts after the page's replay`() async throws {
        try await PageVisit.with("clerk") { visit in
            try await visit.follow()
            let source = try #require(visit.sources.first)
            try await visit.run(
                Python.path,
                [
                    PageVisit.programs.path + "/sender.py", "clerk", source.url, source.secret, "user_2qEarly",
                    "org_2qNew",
                ])
            let list = try #require(visit.page.commands.first { $0.hasPrefix("dialtone source map list ") })
            let listed = try await visit.bash(list)
            #expect(listed.contains(/org_2qNew +\(unmapped\)/), "\(listed)")
            try await visit.bash("dialtone source map add clerk org_2qNew acme")
            try await visit.bash(try #require(visit.page.commands.first { $0.hasPrefix("dialtone event replay ") }))
            try await visit.expect(["user_2qEarly"], "ready")
        }
    }

    @Test func `without organisations the page's lines name the tenant, and a sign-up alone is enough`() async throws {
        try await PageVisit.with("clerk") { visit in
            let lines = visit.page.commands.filter { $0.hasPrefix("dialtone source ") && $0.contains("--tenant acme") }
            #expect(lines.count == 2)
            for line in lines { try await visit.runCommands(line + "\n") }
            try await visit.signUp(by: "clerk", at: try #require(visit.sources.first))
        }
    }

    @Test func `a row of Supabase that no webhook has told of is sent by hand as the page says`() async throws {
        try await PageVisit.with("supabase") { visit in
            try await visit.follow { visit, block in
                guard block.language == "sql" else { return }
                let user = "6d1e0a00-0000-4000-8000-000000000001"
                let select = try #require(visit.page.text.firstMatch(of: /( {4}select json_build_object[^;]+);/)).output
                    .1
                try #require(select.contains(user))
                let admin = visit.desk.database.admin
                try await admin.script(
                    """
                    create schema auth;
                    create table auth.users (
                        id uuid primary key, raw_app_meta_data jsonb default '{}', is_anonymous boolean default false,
                        created_at timestamptz default now(), updated_at timestamptz default now());
                    insert into auth.users (id) values ('\(user)');
                    create table auth.body as \(select)
                    """)
                let rows = try await admin.query("select json_build_object::text from auth.body")
                _ = try visit.file("body.json", try #require(try rows.first?.decode(String.self)))
                let curl = try #require(visit.page.text.firstMatch(of: /\n( {4}curl [^\n]+\\\n[^\n]+)\n/)).output.1
                try await visit.bash(String(curl))
                try await visit.expect([user], "ready")
            }
        }
    }
}
