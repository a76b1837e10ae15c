// SPDX-License-Identifier: Apache-2.0
// An operator makes, changes, stops and deletes sources with the program, and is told what each has come to.

import Foundation
import TestSupport
import Testing

@Suite struct SourceCommandTests {
    private static func with(_ work: (Desk) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in try await work(desk) }
        }
    }

    @Test func `every preset says what to do at the sender, and warns where the sender makes the secret`() async throws
    {
        try await Self.with { desk in
            var warned: [String] = []
            for preset in [
                "auth0", "auth0-logs", "clerk", "cloudevents", "cognito", "keycloak", "okta", "standard", "stytch",
                "stytch-consumer", "supabase-db", "supabase-hook", "svix", "workos",
            ] {
                let made = try await desk.json("source", "create", preset, "--tenant", "acme", "--preset", preset)
                #expect(made["setup"] is String && made["secret"] is String, "\(made)")
                if made["warning"] is String { warned.append(preset) }
            }
            #expect(warned == ["clerk", "stytch", "stytch-consumer", "svix", "workos"])
            let shown = try await desk.run(["source", "create", "c2", "--tenant", "acme", "--preset", "clerk"])
            let again = try await desk.run(["source", "create", "c2", "--tenant", "acme", "--preset", "clerk"])
            #expect(again.code == 5 && again.errors.contains("exists already"), "\(again)")
            #expect(shown.output.contains("\n  sender  Add the URL") && shown.code == 0)
            #expect(shown.errors.contains("dialtone source rotate c2 --tenant acme --secret-file"), "\(shown.errors)")
        }
    }

    @Test func `a file maps many organisations, and a line that is refused is named`() async throws {
        try await Self.with { desk in
            try await desk.done("source", "create", "idp", "--preset", "okta")
            let file = desk.folder.appendingPathComponent("organizations.txt").path
            try "org_1 acme\norg_2 -\n".write(toFile: file, atomically: true, encoding: .utf8)
            let add = ["source", "map", "add", "idp", "--file", file]
            #expect(try await desk.run(add).output == "org_1 is tenant acme\norg_2 is ignored\n")
            #expect(try await desk.run(add).output == "org_1 is tenant acme already\norg_2 is ignored already\n")
            try "org_3 acme\norg_4 nobody\n".write(toFile: file, atomically: true, encoding: .utf8)
            let refused = try await desk.run(add)
            #expect(refused.code == 2 && refused.errors.contains("line 2"), "\(refused.errors)")
            try "org_5 acme\norg\u{200B}_6 acme\n".write(toFile: file, atomically: true, encoding: .utf8)
            let hidden = try await desk.run(add)
            #expect(hidden.code == 2 && hidden.errors.contains("line 2: organization has"), "\(hidden.errors)")
            let both = try await desk.run(["source", "map", "add", "idp", "org_1", "--file", file])
            #expect(both.code != 0 && both.errors.contains("--file"))
        }
    }

    @Test func `a new source names the tenant that its configuration gives it`() async throws {
        try await Self.with { desk in
            let file = desk.folder.appendingPathComponent("config.json").path
            try #"{"grammar":1,"preset":"svix","tenant":{"fixed":"acme"}}"#.write(
                toFile: file, atomically: true, encoding: .utf8)
            let made = try await desk.json("source", "create", "x", "--config", file)
            #expect(made["tenant"] as? String == "acme", "\(made)")
            let rotated = try await desk.json("source", "rotate", "x", "--tenant", "acme")
            #expect(rotated["tenant"] as? String == "acme", "\(rotated)")
        }
    }

    @Test func `a source is updated, disabled, enabled and deleted, and a wrong update is refused`() async throws {
        try await Self.with { desk in
            try await desk.done("source", "create", "app", "--tenant", "acme", "--preset", "svix")
            let file = desk.folder.appendingPathComponent("config.json").path
            try #"{"grammar":1,"user_id":"/data/account"}"#.write(toFile: file, atomically: true, encoding: .utf8)
            let update = ["source", "update", "app", "--tenant", "acme", "--config", file]
            #expect(try await desk.run(update).output.contains("has version 2"))
            #expect(try await desk.run(update).output.contains("is so already"))
            try #"{"grammar":1,"user_idd":"/data/account"}"#.write(toFile: file, atomically: true, encoding: .utf8)
            let wrong = try await desk.run(update)
            #expect(wrong.code == 2 && wrong.errors.contains("/user_idd"), "\(wrong.errors)")

            let disabled = try await desk.json("source", "disable", "app", "--tenant", "acme")
            #expect(disabled["status"] as? String == "disabled" && disabled["changed"] as? Bool == true)
            #expect(try await desk.run(["source", "disable", "app", "--tenant", "acme"]).output.contains("already"))
            let listed = try #require(try await desk.json("source", "list")["data"] as? [[String: Any]]).first ?? [:]
            #expect(listed["status"] as? String == "disabled" && listed["config_version"] as? Int == 2, "\(listed)")
            #expect(listed["id"] is String && (listed["secrets"] as? [[String: Any]])?.count == 1, "\(listed)")
            try await desk.done("source", "enable", "app", "--tenant", "acme")

            try await desk.fails(["source", "delete", "app", "--tenant", "acme"], "1 secrets would go")
            try await desk.done("source", "delete", "app", "--tenant", "acme", "--yes")
            try await desk.fails(["source", "rotate", "app", "--tenant", "acme"], "there is no source app")
        }
    }

    @Test func `an organisation is mapped once, is told to be so already, and is refused for another tenant`()
        async throws
    {
        try await Self.with { desk in
            try await desk.done("tenant", "create", "globex", "--connection-id", "1000000002")
            try await desk.done("source", "create", "clerk", "--preset", "clerk")
            try await desk.done("source", "map", "add", "clerk", "org_1", "acme")
            let again = try await desk.run(["source", "map", "add", "clerk", "org_1", "acme"])
            #expect(again.code == 0 && again.output == "org_1 is tenant acme already\n")
            try await desk.fails(["source", "map", "add", "clerk", "org_1", "globex"], "dialtone source map remove")
            let listed = try await desk.json("source", "map", "list", "clerk")
            #expect("\(listed)".contains("unbound") && "\(listed)".contains("mapped"))
            try await desk.done("source", "map", "remove", "clerk", "org_1")
            let table = try await desk.run(["source", "list"])
            #expect(table.output.contains("(made here; the sender's own is missing)"), "\(table)")
            try await desk.fails(["source", "map", "list", "clerk", "--tenant", "acme"], "there is no source clerk")
        }
    }

    @Test func `a check tells the tenant or that it is not mapped, by its exit code too`() async throws {
        try await Self.with { desk in
            let made = try await desk.json("source", "create", "auth", "--preset", "auth0")
            let header = "authorization: Bearer \(try #require(made["secret"] as? String))"
            let file = desk.folder.appendingPathComponent("body.json").path
            try """
            {"id":"e1","type":"organization.member.added","time":"2026-11-23T11:59:00Z","data":{"object":{
             "user":{"user_id":"auth0|1"},"organization":{"id":"org_1"}}}}
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let check = ["--file", file, "--at", "2026-11-23T12:00:00Z"]
            let unmapped = try await desk.run(["source", "check", "auth", "--header", header] + check)
            #expect(unmapped.code == 1 && unmapped.output.contains("is not mapped"), "\(unmapped)")
            #expect(unmapped.output.contains("decision: would be quarantined"), "\(unmapped)")
            let isAlone = unmapped.errors.split(separator: "\n").count == 1
            #expect(isAlone && unmapped.errors.hasPrefix("asking the database "), "no warning: \(unmapped)")
            try await desk.done("source", "map", "add", "auth", "org_1", "acme")
            let mapped = try await desk.run(["source", "check", "--source", "auth", "--header", header] + check)
            #expect(mapped.code == 0 && mapped.output.contains("accepted in tenant acme"), "\(mapped)")
            let json = try await desk.run(["source", "check", "auth", "--header", header, "--json"] + check)
            #expect(
                json.output.contains(#""effect":{"users":[{"tenant":"acme","user_id":"auth0|1","wanted":"live"}]}"#),
                "\(json.output)")
            let unproven = try await desk.run(["source", "check", "auth"] + check)
            #expect(unproven.code == 1 && unproven.output.hasPrefix("not proven: "), "\(unproven)")
            #expect(unproven.output.contains("if it were proven: auth0|1"), "\(unproven)")
            let twice = try await desk.run(["source", "check", "auth", "--source", "auth"] + check)
            #expect(twice.code == 2, "\(twice)")
        }
    }

    @Test func `a check takes headers from a file, so that no secret stands on the command line`() async throws {
        try await Self.with { desk in
            let made = try await desk.json("source", "create", "auth", "--preset", "auth0")
            let secret = try #require(made["secret"] as? String)
            let (body, headers) = ("body.json", "headers.txt")
            func write(_ text: String, _ name: String) throws -> String {
                let path = desk.folder.appendingPathComponent(name).path
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                return path
            }
            let sent = try write(#"{"id":"e1","type":"other","time":"2026-11-23T11:59:00Z"}"#, body)
            let check = ["source", "check", "auth", "--file", sent, "--at", "2026-11-23T12:00:00Z", "--headers-file"]
            let good = try write("\r\nauthorization: Bearer \(secret)\r\n", headers)
            let proven = try await desk.run(check + [good, "--header", "x-other: 1"])
            #expect(proven.output.hasPrefix("proven\n"), "\(proven)")
            let bad = try write("x-one: 1\n\(secret)\n", headers)
            let refused = try await desk.run(check + [bad])
            #expect(refused.code == 2 && refused.errors.contains("line 2") && !refused.errors.contains(secret))
            let both = try await desk.run(["source", "check", "auth", "--file", "-", "--headers-file", "-"])
            #expect(both.code == 2 && both.errors.contains("--headers-file"), "\(both)")
        }
    }

    @Test(arguments: [
        (["tennant"], "dialtone tenant?"), (["source", "creat", "app"], "dialtone source create?"),
        (["source", "map", "ad"], "dialtone source map add?"),
    ])
    func `a command that is written wrong is told the nearest one`(arguments: [String], meant: String) async throws {
        let ended = try await Program.run(arguments)
        #expect(ended.code == 2 && ended.errors.contains("Did you mean: \(meant)"), "\(ended.errors)")
    }
}
