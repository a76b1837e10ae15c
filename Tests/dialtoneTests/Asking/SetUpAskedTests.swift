// SPDX-License-Identifier: Apache-2.0
// How an installation is set up is told alike over HTTP and from the database: tenants, sources, API keys and limits.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct SetUpAskedTests {
    /// A desk of one who has a URL and a key.
    private struct RemoteDesk: OperatorDesk {
        var environment: [String: String]
    }

    /// Lends an operator's desk, one with a key of acme and one with an operator's key, beside a running service. There
    /// are two tenants with a source each, and a source of both. `publicURL`: what the service is told of itself.
    private static func with(
        publicURL: String? = nil,
        _ work: (_ desk: Desk, _ acme: RemoteDesk, _ operators: RemoteDesk) async throws -> Void
    ) async throws {
        try await Desk.withSimulator { desk in
            desk.environment["DIALTONE_PUBLIC_URL"] = publicURL
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            desk.environment["DIALTONE_PUBLIC_URL"] = publicURL ?? address
            try await desk.done("tenant", "create", "globex", "--connection-id", "1000000002")
            try await desk.done("source", "create", "app", "--tenant", "acme")
            try await desk.done("source", "create", "auth", "--tenant", "acme", "--preset", "clerk")
            try await desk.done("source", "create", "app", "--tenant", "globex")
            try await desk.done("source", "create", "several", "--allow", "acme,globex")
            try await desk.done("source", "rotate", "app", "--tenant", "acme")
            try await desk.done("source", "disable", "auth", "--tenant", "acme")
            let scopes = "users:read,sources:read,keys:read,jobs:read,events:read"
            let own = try await desk.json("key", "create", "--tenant", "acme", "--scopes", scopes)
            let operators = try await desk.json("key", "create", "--operator")
            let remote = try [own, operators].map { key in
                RemoteDesk(environment: [
                    "DIALTONE_URL": address, "DIALTONE_API_KEY": try #require(key["key"] as? String),
                    "HOME": desk.folder.path,
                ])
            }
            try await work(desk, remote[0], remote[1])
        }
    }

    private static func expectSame(_ command: [String], _ remote: RemoteDesk, _ desk: Desk) async throws {
        for form in [[], ["--json"]] {
            let (told, direct) = (try await remote.run(command + form), try await desk.run(command + form))
            #expect(told.output == direct.output && !told.output.isEmpty, "\(command): \(told) \(direct)")
            #expect(told.code == 0 && direct.code == 0, "\(command): \(told) \(direct)")
            #expect(told.errors.hasPrefix("asking http://127.0.0.1:"), "\(command): \(told)")
            #expect(direct.errors.hasPrefix("asking the database "), "\(command): \(direct)")
        }
    }

    @Test func `how a tenant is set up is the same over HTTP and in the database`() async throws {
        try await Self.with { desk, acme, operators in
            let wrong = try await desk.run(
                ["tenant", "update", "acme", "--connection-id", "12a", "--credential-life", "9d"])
            #expect(wrong.code != 0 && wrong.errors.contains("1 to 32 digits"), "\(wrong)")
            try await desk.done(
                "tenant", "update", "acme", "--connection-id", "1234567891", "--credential-life", "90d")
            let shown = try await acme.json("tenant", "show", "acme")
            #expect(shown["connection_id"] as? String == "1234567891" && shown["credential_life_days"] as? Int == 90)
            for command in [
                ["tenant", "show", "acme"], ["source", "list", "--tenant", "acme"],
                ["key", "list", "--tenant", "acme"],
            ] {
                try await Self.expectSame(command, acme, desk)
                try await Self.expectSame(command, operators, desk)
            }
            let sources = try #require(try await acme.json("source", "list")["data"] as? [[String: Any]])
            #expect(sources.map { $0["source"] as? String } == ["app", "auth"], "those of its own tenant: \(sources)")
            #expect(sources.allSatisfy { $0["tenant"] as? String == "acme" })
            #expect((sources.first?["secrets"] as? [Any])?.count == 2, "the rotated one too: \(sources)")
            let keys = try #require(try await acme.json("key", "list")["data"] as? [[String: Any]])
            #expect(keys.map { $0["tenant"] as? String } == ["acme"], "\(keys)")
        }
    }

    @Test func `an operator's key lists what the database lists, and a tenant's key no limits`() async throws {
        try await Self.with { desk, acme, operators in
            try await desk.done("limit", "set", "--tenant", "acme", "--rate", "5")
            for command in [["source", "list"], ["key", "list"], ["limit", "list"], ["tenant", "list"]] {
                try await Self.expectSame(command, operators, desk)
            }
            let refused = try await acme.run(["limit", "list", "--json"])
            #expect(refused.code == 3 && refused.errors.contains("\"code\":\"not_found\""), "\(refused)")
            for command in [
                ["tenant", "show", "globex"], ["source", "list", "--tenant", "globex"],
                ["key", "list", "--tenant", "globex"],
            ] {
                let hidden = try await acme.run(command)
                #expect(hidden.code == 3 && hidden.output.isEmpty, "\(command): \(hidden)")
            }
        }
    }

    @Test func `of limits alone it is said that they need an operator's key`() async throws {
        let api = try StandIn { _ in .reply(404, "{}") }
        defer { api.stop() }
        let desk = RemoteDesk(environment: [
            "DIALTONE_URL": "http://127.0.0.1:\(api.port)", "DIALTONE_API_KEY": "dtk_of_the_test",
        ])
        for (name, isOperators) in [("limit", true), ("source", false), ("key", false)] {
            let ended = try await desk.run([name, "list"])
            #expect(ended.code == 3 && ended.errors.contains("a later version of the service"), "\(ended)")
            #expect(ended.errors.contains("an operator's key") == isOperators, "\(ended)")
        }
    }

    @Test func `a service that knows its public URL shows it, and not the one that was asked`() async throws {
        try await Self.with(publicURL: "https://hooks.example.com") { desk, acme, _ in
            try await Self.expectSame(["source", "list", "--tenant", "acme"], acme, desk)
            let sources = try #require(try await acme.json("source", "list")["data"] as? [[String: Any]])
            let urls = sources.compactMap { $0["url"] as? String }
            #expect(urls.count == 2 && urls.allSatisfy { $0.hasPrefix("https://hooks.example.com/v1/hooks/hk_") })
        }
    }

    @Test func `events are picked by what became of them, over both ways`() async throws {
        try await Self.with { desk, acme, _ in
            let made = try await desk.json("source", "create", "sender", "--tenant", "acme")
            var sender = desk
            sender.environment["DIALTONE_SOURCE_SECRET"] = made["secret"] as? String
            let hook = try #require(made["url"] as? String)
            try await sender.done("send", "--url", hook, "--tenant", "acme", "--user", "ada")
            let list = ["event", "list", "--tenant", "acme", "--json", "--outcome"]
            for (outcome, count) in [("accepted", 1), ("accepted,waiting", 1), ("superseded", 0)] {
                for desk in [acme as any OperatorDesk, desk] {
                    let ended = try await desk.run(list + [outcome])
                    let shown = ended.output.components(separatedBy: "\"event_id\":").count - 1
                    #expect(ended.code == 0 && shown == count, "\(outcome): \(ended)")
                }
            }
            for outcome in ["odd", "", ",", "accepted,,waiting", "accepted,"] {
                let wrong = try await acme.run(["event", "list", "--outcome", outcome])
                #expect(wrong.code == 2 && wrong.errors.contains("--outcome"), "\(outcome): \(wrong)")
            }
        }
    }
}
