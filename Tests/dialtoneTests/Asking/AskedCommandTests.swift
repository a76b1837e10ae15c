// SPDX-License-Identifier: Apache-2.0
// A support engineer works with a URL and a key alone: nothing of the database, and an empty home folder.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct AskedCommandTests {
    /// A desk of one who has a URL and a tenant's key, beside that of an operator.
    private struct SupportDesk: OperatorDesk {
        var environment: [String: String]
    }

    /// Lends both desks and a running service.
    private static func with(
        _ work: (_ operator: inout Desk, _ support: SupportDesk) async throws -> Void
    ) async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            desk.environment["DIALTONE_PUBLIC_URL"] = address
            let key = try await desk.json(
                "key", "create", "--tenant", "acme", "--scopes", "users:read,events:read,jobs:read")
            let support = SupportDesk(environment: [
                "DIALTONE_URL": address, "DIALTONE_API_KEY": try #require(key["key"] as? String),
                "HOME": desk.folder.path,
            ])
            try await work(&desk, support)
        }
    }

    private static func signUp(_ user: String, _ desk: inout Desk) async throws {
        let address = try #require(desk.environment["DIALTONE_PUBLIC_URL"])
        let hook = try await desk.makeSource(at: address)
        try await desk.done("send", "--url", hook, "--tenant", "acme", "--user", user)
        try await desk.database.until("select 1 from dialtone.users where user_id = \(user) and status = 'ready'")
    }

    @Test func `with a URL and a key everything that reads can be asked, and the way is said`() async throws {
        try await Self.with { desk, support in
            try await Self.signUp("ada", &desk)
            let why = try await support.run(["why", "ada"])
            #expect(why.code == 0 && why.output.hasPrefix("ada of acme is ready"), "\(why)")
            #expect(why.errors.hasPrefix("asking http://127.0.0.1:") && why.errors.contains("with key dtk_"))
            let unknown = try await support.run(["why", "bob"])
            #expect(unknown.code == 3 && unknown.output.contains("is not known"), "\(unknown)")
            let list = try await support.json("user", "list")
            let entry = try #require((list["data"] as? [[String: Any]])?.first)
            #expect(
                entry["user_id"] as? String == "ada" && (entry["why"] as? [String: Any])?["code"] as? String == "ready")
            let shown = try await support.json("user", "show", "ada")
            let kinds = try #require(shown["timeline"] as? [[String: Any]]).compactMap { $0["kind"] as? String }
            #expect(kinds.first == "event.accepted" && kinds.contains("provider.create"), "\(kinds)")
            let verified = try await support.json("user", "verify", "ada")
            #expect(verified["verdict"] as? String == "exactly_one", "\(verified)")
            #expect(((verified["provider"] as? [String: Any])?["by_id"] as? Int) == 200)
            let found = try await support.json("find", try #require(entry["sip_username"] as? String))
            #expect((found["data"] as? [[String: Any]])?.first?["user_id"] as? String == "ada")
            for command in [
                ["event", "list"], ["event", "list", "--refused"], ["job", "list"], ["job", "failures"], ["summary"],
                ["tenant", "list"], ["tenant", "tags"], ["tenant", "findings"], ["user", "wait", "ada"],
                ["user", "list", "--count"], ["user", "list", "--newest", "--since", "1h"],
            ] {
                #expect(try await support.run(command).code == 0, "\(command)")
                #expect(try await support.run(command + ["--json"]).code == 0, "\(command)")
            }
        }
    }

    @Test func `the same question has the same answer in the database`() async throws {
        try await Self.with { desk, support in
            try await Self.signUp("ada", &desk)
            let hook = try await desk.json("source", "create", "other", "--tenant", "acme")
            let url = try #require(hook["url"] as? String)
            #expect(
                try await desk.run(["send", "--url", url, "--tenant", "acme", "--user", "b", "--forged"]).code == 0)
            // A full quarantine leaves such a row.
            try await desk.database.insert(
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                select date_trunc('hour', now()), source_id, 2, now(), 60, 'not_kept', 'missing'
                from dialtone.sources where slug = 'other'
                """)
            try await desk.database.until("select 1 from dialtone.samples where outcome = 'refused'")
            let events = try await support.json("event", "list")["data"] as? [[String: Any]]
            let event = try #require(events?.first?["event_id"] as? String)
            for command in [
                ["user", "list"], ["why", "ada"], ["event", "list", "--user", "ada"], ["tenant", "tags"],
                ["event", "list"], ["event", "list", "--refused"], ["event", "list", "--ignored"],
                ["event", "show", event], ["user", "show", "ada"],
            ] {
                let remote = try await support.run(command + ["--tenant", "acme", "--json"])
                let direct = try await desk.run(command + ["--tenant", "acme", "--json"])
                #expect(remote.output == direct.output && remote.code == direct.code, "\(command)")
                #expect(direct.errors.hasPrefix("asking the database"))
            }
            let ignored = try await support.run(["event", "list", "--ignored", "--json"]).output
            #expect(ignored.contains(#""outcome":"not_kept""#), "\(ignored)")
            try await Self.expectOperatorsForm(of: event, desk, support)
        }
    }

    /// Without a tenant an operator has the API's members, and some beside them.
    private static func expectOperatorsForm(of event: String, _ desk: Desk, _ support: SupportDesk) async throws {
        for command in [["event", "list"], ["event", "list", "--refused"], ["event", "list", "--ignored"]] {
            let direct = try await desk.run(command)
            #expect(direct.errors.hasPrefix("asking the database"), "\(command): \(direct.errors)")
            let (own, told) = (try await desk.json(command), try await support.json(command))
            #expect(Set(own.keys).isSuperset(of: told.keys), "\(command): \(own)")
            let first = try #require((own["data"] as? [[String: Any]])?.first)
            let members = try #require((told["data"] as? [[String: Any]])?.first?.keys)
            #expect(Set(first.keys).isSuperset(of: members), "\(command): \(own)")
        }
        let shown = try await desk.run(["event", "show", event])
        #expect(shown.code == 0 && shown.errors.hasPrefix("asking the database"), "\(shown)")
        let (own, told) = (try await desk.json("event", "show", event), try await support.json("event", "show", event))
        for (name, value) in told {
            #expect(own[name].map { "\($0)" } == "\(value)", "\(name): \(own)")
        }
    }

    @Test func `an operator reads the newest events page by page`() async throws {
        try await Self.with { desk, _ in
            try await Self.signUp("ada", &desk)
            let hook = try await desk.json("source", "create", "other", "--tenant", "acme")
            desk.environment["DIALTONE_SOURCE_SECRET"] = hook["secret"] as? String
            let url = try #require(hook["url"] as? String)
            try await desk.done("send", "--url", url, "--tenant", "acme", "--user", "bob")
            let all = try #require(try await desk.json("event", "list")["data"] as? [[String: Any]])
            let first = try await desk.json("event", "list", "--limit", "1")
            let next = try #require(first["next"] as? String)
            let last = try await desk.json("event", "list", "--limit", "1", "--after", next)
            let pages = [first, last].compactMap { ($0["data"] as? [[String: Any]])?.first?["event_id"] as? String }
            #expect(pages == all.compactMap { $0["event_id"] as? String } && last["next"] is NSNull, "\(last)")
        }
    }

    @Test func `a life says from when its steps are kept, and what outlives them`() async throws {
        try await Self.with { desk, support in
            try await Self.signUp("ada", &desk)
            try await desk.database.admin.script("select dialtone.ensure_job_log_partitions()")
            let whole = try await support.json("user", "show", "ada")
            let history = try #require(whole["history"] as? [String: Any])
            #expect(whole["log_from"] is String && history["creates"] as? Int == 1, "\(whole)")
            try await desk.database.admin.script("update dialtone.users set received_at = '2020-01-01T00:00:00Z'")
            let cut = try await support.run(["user", "show", "ada"]).output
            #expect(cut.contains("\nhistory from 2"), "\(cut)")
            #expect(cut.contains("; older calls are no longer kept\nAT "), "\(cut)")
            #expect(
                cut.contains("\n  calls         creates sent: 1, without a clear answer: 0, looks: 0\n"), "\(cut)")
        }
    }

    @Test func `a script can tell failures apart`() async throws {
        try await Self.with { desk, support in
            var stranger = support
            stranger.environment["DIALTONE_API_KEY"] = "dtk_nonsense"
            #expect(try await stranger.run(["user", "list"]).code == 4)
            let missing = try await support.run(["user", "show", "bob", "--json"])
            #expect(missing.code == 3 && missing.errors.contains("\"code\":\"not_found\""), "\(missing)")
            #expect(try await support.run(["user", "list", "--tenant", "globex"]).code == 3)
            let late = try await support.run(["user", "wait", "bob", "--timeout", "1"])
            #expect(late.code == 8, "\(late)")
            var nobody = support
            nobody.environment["DIALTONE_URL"] = "http://127.0.0.1:1"
            #expect(try await nobody.run(["user", "list"]).code == 7)
            var keyless = support
            keyless.environment["DIALTONE_API_KEY"] = nil
            let told = try await keyless.run(["user", "list"])
            #expect(told.code == 2 && told.errors.contains("DIALTONE_API_KEY"), "\(told)")
            _ = desk
        }
    }

    @Test func `login keeps a key that nobody else may read, and logout forgets it`() async throws {
        try await Self.with { desk, support in
            try await Self.signUp("ada", &desk)
            let url = try #require(support.environment["DIALTONE_URL"])
            let key = try #require(support.environment["DIALTONE_API_KEY"])
            let home = SupportDesk(environment: ["HOME": desk.folder.path])
            let login = try await Program.run(
                ["login", "--url", url, "--profile", "prod"], home.environment, input: key + "\n")
            #expect(login.code == 0 && login.output.contains("tenant acme") && !login.output.contains(key), "\(login)")
            let file = desk.folder.appendingPathComponent(".config/dialtone/profiles.json").path
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try await home.run(["why", "ada", "--profile", "prod"]).code == 0)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            let open = try await home.run(["why", "ada", "--profile", "prod"])
            #expect(open.code == 2 && open.errors.contains("chmod 600"), "\(open)")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            #expect(try await home.run(["logout", "--profile", "prod"]).code == 0)
            #expect(try await home.run(["why", "ada", "--profile", "prod"]).code == 2)
        }
    }

    @Test func `fields are picked in a table as in JSON, and a wrong one is named`() async throws {
        try await Self.with { desk, support in
            try await Self.signUp("ada", &desk)
            let table = try await support.run(["user", "list", "--fields", "user_id,why.code"])
            #expect(table.output == "USER_ID  WHY.CODE\nada      ready\n", "\(table)")
            let json = try await support.run(["user", "list", "--fields", "user_id,why.code", "--json"])
            #expect(
                json.output == "{\"data\":[{\"user_id\":\"ada\",\"why.code\":\"ready\"}],\"next\":null}\n", "\(json)")
            let wrong = try await support.run(["user", "list", "--fields", "usr"])
            #expect(wrong.code == 2 && wrong.errors.contains("user_id"), "\(wrong)")
            let tags = try await support.run(["tenant", "tags", "--fields", "tag"])
            #expect(tags.code == 0 && tags.output.hasPrefix("TAG\nacme"), "\(tags)")
            let sources = try await desk.run(["source", "list", "--fields", "source"])
            #expect(sources.output == "SOURCE\napp\n", "\(sources)")
            let keys = try await desk.run(["key", "list", "--fields", "tenant", "--json"])
            #expect(keys.output == "{\"data\":[{\"tenant\":\"acme\"}],\"next\":null}\n", "\(keys)")
            for command in [["job", "failures"], ["tenant", "findings"]] {
                let none = try await support.run(command + ["--fields", "user_id", "--json"])
                #expect(none.output == "{\"data\":[],\"next\":null}\n", "\(command): \(none)")
            }
        }
    }

    @Test func `a table fits the terminal, and a list of users has whole ids`() async throws {
        try await Self.with { desk, support in
            try await Self.signUp("user_29w83sxmDNGwOuEthce5gg56FcC", &desk)
            for width in [60, 80, 100, 200] {
                var narrow = support
                narrow.environment["COLUMNS"] = "\(width)"
                for command in [["user", "list"], ["event", "list"], ["job", "list"], ["tenant", "tags"]] {
                    let ended = try await narrow.run(command)
                    let lines = ended.output.split(separator: "\n")
                    #expect(lines.allSatisfy { $0.count <= width }, "\(command) at \(width): \(ended.output)")
                }
                let list = try await narrow.run(["user", "list"]).output
                #expect(list.contains("user_29w83sxmDNGwOuEthce5gg56FcC"), "\(list)")
            }
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `a shell gets its script`(shell: String) async throws {
        let script = try await Program.run(["completion", shell])
        #expect(script.code == 0 && script.output.contains("dialtone") && script.output.contains("verify"))
    }
}
