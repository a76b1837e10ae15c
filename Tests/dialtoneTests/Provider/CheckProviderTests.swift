// SPDX-License-Identifier: Apache-2.0
// `dialtone check --provider` has a sentence and an exit code for everything that the provider, or the way to it, may do.

import Foundation
import TestSupport
import Testing

@Suite struct CheckProviderTests {
    private static let list = StandIn.Act.reply(200, "{\"data\":[],\"meta\":{\"total_pages\":1,\"total_results\":0}}")
    private static let name = "provider, connection 1000000001"

    /// What the provider does with a list and with the question for the connection; exit code and words.
    private static let answers: [(list: StandIn.Act, connection: StandIn.Act, code: Int32, words: String)] = [
        (list, .reply(200, "{\"data\":{\"id\":\"1\",\"active\":true}}"), 0, "ok      \(name)\n"),
        (
            list, .reply(200, "{\"data\":{\"id\":\"1\",\"active\":false}}"), 1,
            "FAILED  \(name): the provider has it switched off\n"
        ),
        (
            list, .error(404, "10005", "Resource not found"), 1,
            "FAILED  \(name): the provider knows no credential connection of this id\n"
        ),
        (list, .reply(404), 0, "ok      \(name) (the key works; whether it exists is not known: HTTP 404)\n"),
        (list, .error(403, "10010", "No"), 0, "(the key works; whether it exists is not known: HTTP 403)\n"),
        (list, .reply(500), 0, "(the key works; whether it exists is not known: HTTP 500)\n"),
        (list, .silence, 0, "(the key works; whether it exists is not known: "),
        (
            .error(401, "10009", "Authentication failed"), list, 1,
            "FAILED  \(name): the provider refuses the API key (HTTP 401: 10009 Authentication failed)\n"
        ),
        (.reply(401), list, 1, "FAILED  \(name): the provider refuses the API key (HTTP 401)\n"),
        (
            .error(403, "10010", "Authorization failed"), list, 1,
            "FAILED  \(name): the API key may not list credentials (HTTP 403: 10010 Authorization failed)\n"
        ),
        (.reply(429), list, 1, "FAILED  \(name): the provider asks to slow down; try again later (HTTP 429)\n"),
        (.reply(500), list, 1, "FAILED  \(name): the provider does not serve now (HTTP 500)\n"),
        (
            .error(503, "10037", "Service unavailable"), list, 1,
            "FAILED  \(name): the provider does not serve now (HTTP 503: 10037 Service unavailable)\n"
        ),
        (.reply(404), list, 1, "FAILED  \(name): TELNYX_BASE_URL leads to something else than the provider's API"),
        (.reply(200, "<html>"), list, 1, "FAILED  \(name): TELNYX_BASE_URL leads to something else"),
        (.say(""), list, 1, "FAILED  \(name): the provider cannot be reached ("),
        (.silence, list, 1, "FAILED  \(name): the provider cannot be reached ("),
    ]

    @Test func `each answer of the provider has a sentence and an exit code`() async throws {
        try await Self.withProvider { desk, provider in
            for (list, connection, code, words) in Self.answers {
                provider.behaves { $0.contains("/credential_connections/") ? connection : list }
                try await Self.check(desk, code, words, "\(list) \(connection)")
            }
            provider.stop()
            try await Self.check(
                desk, 1, "FAILED  \(Self.name): the provider cannot be reached (connection failed)\n", "nobody listens")
            desk.environment["TELNYX_API_KEY"] = nil
            try await Self.check(desk, 1, "FAILED  provider: TELNYX_API_KEY is not set\n", "no key")
        }
    }

    @Test func `the simulator knows each connection, and the check says that it is not Telnyx`() async throws {
        try await Desk.withSimulator { desk in
            let ended = try await desk.run(["check", "--provider"])
            #expect(ended.code == 0 && ended.output.contains("ok      \(Self.name)\n"), "\(ended)")
            let url = try #require(desk.environment["TELNYX_BASE_URL"])
            let words = "ok      provider is at TELNYX_BASE_URL=\(url); that is not Telnyx itself\n"
            #expect(ended.output.contains(words), "\(ended)")
        }
    }

    /// The proxy's login has a blank, so that a piece of it cannot stand anywhere by chance.
    @Test func `a proxy is used with its login, and what it refuses is named without the login`() async throws {
        try await Self.withProvider { desk, provider in
            let list = Self.list
            provider.behaves { _ in list }
            let proxy = try StandIn { [port = provider.port] _ in .tunnel(port) }
            defer { proxy.stop() }
            let file = desk.folder.appendingPathComponent("proxy")
            try "\"http://user:hunt%20er2@127.0.0.1:\(proxy.port)\"\r\n".write(
                to: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            desk.environment["TELNYX_PROXY_FILE"] = file.path
            desk.environment["DIALTONE_ALLOW_HTTP"] = "true"
            desk.environment["TELNYX_BASE_URL"] = "http://provider.invalid/v2"
            try await Self.check(desk, 0, "ok      \(Self.name)", "the tunnel")
            let login = Data("user:hunt er2".utf8).base64EncodedString()
            #expect(proxy.seen.allSatisfy { $0.hasPrefix("CONNECT provider.invalid:80 ") && $0.contains(login) })
            #expect(!proxy.seen.isEmpty && !proxy.seen.joined().contains("KEY-"))
            #expect(provider.seen.count >= 2 && !provider.seen.joined().contains(login))

            for (act, reason) in [
                (.reply(407), "Proxy authentication required"), (.reply(403), "Invalid proxy response"),
                (.reply(502), "Invalid proxy response"), (.silence, ""),
                (.say(""), "Remote connection closed"),
            ] as [(StandIn.Act, String)] {
                proxy.behaves { _ in act }
                try await Self.check(desk, 1, "FAILED  \(Self.name): the provider cannot be reached (", reason)
                try await Self.check(desk, 1, "\(reason))\n", reason)
            }
        }
    }

    /// Runs the check. No output may show a secret.
    private static func check(_ desk: Desk, _ code: Int32, _ words: String, _ what: String) async throws {
        let ended = try await desk.run(["check", "--provider"])
        #expect(ended.code == code && ended.output.contains(words), "\(what): \(ended)")
        let said = ended.output + ended.errors
        for secret in ["KEY-", "hunt", "er2", "dXNlcj"] { #expect(!said.contains(secret), "\(what): \(said)") }
    }

    /// Lends a desk and its provider, which a test tells what to do. A call may take a second.
    private static func withProvider(_ work: (inout Desk, StandIn) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let provider = try StandIn { _ in .silence }
            defer { provider.stop() }
            try await Desk.with(database, provider: "http://127.0.0.1:\(provider.port)/v2") { desk in
                desk.environment["TELNYX_API_KEY"] = "KEY-test"
                desk.environment["DIALTONE_HTTP_DEADLINE"] = "1s"
                try await work(&desk, provider)
            }
        }
    }
}
