// SPDX-License-Identifier: Apache-2.0
// Whoever follows a sender's page ends with a user who is ready. Each sender signs by itself, with nothing of ours.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct PageSetUpTests {
    @Test(arguments: ["clerk", "svix", "workos", "okta", "stytch"])
    func `whoever follows the page has a ready user when the sender tells of one`(name: String) async throws {
        try await PageVisit.with(name) { visit in
            try await visit.follow()
            let presets = try #require(Page.presets[name])
            #expect(visit.sources.count == presets.count)
            for (preset, source) in zip(presets, visit.sources) { try await visit.signUp(by: preset, at: source) }
            try await Self.expectTrial(of: visit)
        }
    }

    @Test func `Auth0's streams are set up as the page says, and tell of ready users`() async throws {
        try await PageVisit.with("auth0") { visit in
            try await visit.follow { visit, block in
                if block.language == "bash" { try await visit.bash(block.text) }
            }
            let stream = try Self.hook("stream.json", of: visit)
            for type in stream.types { #expect(visit.page.rows.contains { $0.names.contains(type) }, "\(type)") }
            try await visit.signUp(by: "auth0", at: stream.source)
            let logs = try #require(visit.sources.first { $0.name == "auth0-logs" })
            try await visit.signUp(by: "auth0-logs", at: logs)
        }
    }

    @Test func `Keycloak's webhook is made as the page says, and tells of a ready user`() async throws {
        try await PageVisit.with("keycloak") { visit in
            let listener = Listener()
            var command = Command(Python.path, [PageVisit.programs.path + "/keycloak.py", visit.desk.folder.path])
            command.output = .pipe(listener.pipe)
            let keycloak = try command.start()
            defer { keycloak.terminate() }
            try await listener.waits(for: "\n")
            visit.variables = [
                "KEYCLOAK": listener.heard.trimmingCharacters(in: .newlines), "REALM": "acme-realm", "TOKEN": "made-up",
            ]
            try await visit.follow { visit, block in
                if block.language == "bash" { try await visit.bash(block.text) }
            }
            let hook = try Self.hook("webhook.json", of: visit)
            let told = visit.page.rows.filter { !$0.isIgnored }.flatMap(\.names)
            #expect(Set(hook.types) == Set(told))
            try await visit.signUp(by: "keycloak", at: hook.source)
            try await Self.expectTrial(of: visit)
        }
    }

    @Test func `Supabase's trigger and auth hook tell of ready users, and the trigger of a deletion`() async throws {
        try await PageVisit.with("supabase") { visit in
            try await visit.follow { visit, block in
                if block.language == "sql" { try await Self.makeTrigger(block.text, of: visit) }
                if block.language == "yaml" { try await Self.runAuthHook(block.text, of: visit) }
            }
            let user = "6d1e0a00-0000-4000-8000-000000000009"
            let admin = visit.desk.database.admin
            try await admin.script(
                """
                insert into auth.users (id, encrypted_password) values ('\(user)', 'CANARY');
                update auth.users set last_sign_in_at = now()
                """)
            #expect(try await Self.send(of: visit) == 1, "signing in sends nothing")
            try await visit.expect([user], "ready")
            try await admin.script("delete from auth.users")
            #expect(try await Self.send(of: visit) == 1)
            try await visit.expect([user], "revoked")
        }
    }

    /// The user whom the page's own line signs up with `dialtone send`.
    private static func expectTrial(of visit: PageVisit) async throws {
        for line in visit.page.text.matches(of: /\ndialtone user show (\S+) --tenant acme/) {
            try await visit.expect([String(line.output.1)], "ready")
        }
    }

    // MARK: The senders' sides

    /// What a stand-in has been told: where to send, and what.
    private static func hook(_ file: String, of visit: PageVisit) throws -> (source: PageVisit.Source, types: [String])
    {
        let data = try Data(contentsOf: visit.desk.folder.appendingPathComponent(file))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let source = PageVisit.Source(
            name: file, url: try #require(object["url"] as? String), secret: try #require(object["secret"] as? String))
        return (source, try #require(object["types"] as? [String]))
    }

    /// Stands in for Supabase's database: the table, and the function of a webhook, which keeps what it would send.
    private static func makeTrigger(_ text: String, of visit: PageVisit) async throws {
        let admin = visit.desk.database.admin
        try await admin.script(
            """
            create schema auth;
            create schema supabase_functions;
            create table auth.users (
                id uuid primary key, encrypted_password text, raw_app_meta_data jsonb default '{}',
                is_anonymous boolean default false, created_at timestamptz default now(),
                updated_at timestamptz default now(), last_sign_in_at timestamptz, deleted_at timestamptz);
            create table supabase_functions.sent (url text, method text, headers text, body text);
            create function supabase_functions.http_request() returns trigger language plpgsql as $$
            begin
                insert into supabase_functions.sent values (tg_argv[0], tg_argv[1], tg_argv[2], json_build_object(
                    'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema,
                    'record', case tg_op when 'DELETE' then null else to_json(new) end,
                    'old_record', case tg_op when 'INSERT' then null else to_json(old) end));
                return null;
            end $$
            """)
        try await admin.script(try visit.filled(text))
    }

    /// Sends what the function has kept. Returns how many requests that were.
    private static func send(of visit: PageVisit) async throws -> Int {
        let rows = try await visit.desk.database.admin.query(
            "delete from supabase_functions.sent returning url, method, headers, body")
        for row in rows {
            let (url, method, headers, body) = try row.decode(String.self, String.self, String.self, String.self)
            let fields = try JSONSerialization.jsonObject(with: Data(headers.utf8)) as? [String: String] ?? [:]
            try await visit.run(
                "/usr/bin/curl",
                ["--fail", "--silent", "--show-error", "--noproxy", "*", "--request", method, url, "--data-raw", body]
                    + fields.flatMap { ["--header", "\($0.key): \($0.value)"] })
        }
        return rows.count
    }

    /// Reads the settings of the auth service, and signs up as it does with them.
    private static func runAuthHook(_ text: String, of visit: PageVisit) async throws {
        var settings: [Substring: Substring] = [:]
        let filled = try visit.filled(text)
        for line in filled.matches(of: /GOTRUE_HOOK_AFTER_USER_CREATED_([A-Z]+): "([^"]+)"/) {
            settings[line.output.1] = line.output.2
        }
        #expect(settings["ENABLED"] == "true")
        let secret = String(try #require(settings["SECRETS"]))
        #expect(secret.hasPrefix("v1,whsec_"))
        try await visit.signUp(
            by: "supabase-hook",
            at: PageVisit.Source(name: "auth", url: String(try #require(settings["URI"])), secret: secret))
    }
}
