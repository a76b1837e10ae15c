// SPDX-License-Identifier: Apache-2.0
// The provider is called through a proxy's tunnel when one is set; what the proxy refuses was not sent.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct ProxyTests {
    private static let tunnel = ScriptedServer.Step.say("HTTP/1.1 200 Connection established\r\n\r\n")

    @Test func `a call goes through the proxy's tunnel, with the proxy's login on CONNECT alone`() async throws {
        let made = ScriptedServer.Step.reply(201, "{\"data\":\(ScriptedClient.credential())}")
        try await Self.through([Self.tunnel, made], login: "user:p%40ss%3A@") { client, server in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "created")
            try #require(server.seen.count == 2)
            #expect(server.seen[0].line == "CONNECT provider.invalid:80 HTTP/1.1")
            let login = Data("user:p@ss:".utf8).base64EncodedString()
            #expect(server.seen[0].head.contains("Basic \(login)"))
            #expect(!server.seen[0].head.contains("KEY-secret"), "the proxy gets no key")
            #expect(server.seen[1].line == "POST /v2/telephony_credentials HTTP/1.1")
            #expect(!server.seen[1].head.contains(login), "the provider gets no login of the proxy")
        }
    }

    @Test(
        arguments: [
            (.reply(407), "Proxy authentication required"), (.reply(403), "Invalid proxy response"),
            (.reply(502, "<html>no</html>"), "Invalid proxy response"), (.sayAndClose(""), "Remote connection closed"),
            (.sayAndClose("nonsense\r\n\r\n"), "Remote connection closed"), (.silence, "HTTP proxy handshake timeout"),
        ] as [(ScriptedServer.Step, String)])
    func `a create that the proxy refuses or never answers is not sent`(
        _ step: ScriptedServer.Step, _ reason: String
    ) async throws {
        try await Self.through([step], login: "hunter1:hunter2@") { client, server in
            guard case .notSent(let told) = await client.create(ScriptedClient.request) else {
                Issue.record("the proxy took no create")
                return
            }
            #expect(told == reason)
            #expect(server.seen.map(\.line) == ["CONNECT provider.invalid:80 HTTP/1.1"])
            let failure = await #expect(throws: TelnyxFailure.self) {
                _ = try await client.retrieve(ProviderID(rawValue: "c-1"))
            }
            #expect(failure.map { "\($0)" } == "provider: unavailable: \(reason)", "no login in the error")
        }
    }

    @Test func `a create that is lost behind the tunnel is in doubt`() async throws {
        try await Self.through([Self.tunnel, .sayAndClose("")]) { client, server in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "inDoubt")
            #expect(server.seen.count == 2)
        }
    }

    // MARK: The proxy's URL

    @Test func `a proxy's URL is read with and without its parts`() {
        let cases = [
            "http://proxy:3128": "proxy:3128", "proxy:3128": "proxy:3128", "http://proxy.corp": "proxy.corp:80",
            "HTTP://u:p@10.0.0.1:8080/": "10.0.0.1:8080", "http://[::1]:3128": "[::1]:3128",
            "http://u:p@w@proxy:1": "proxy:1", "http://user@proxy:1": "proxy:1", "http://u:p/q@proxy:1": "proxy:1",
        ]
        for (text, place) in cases {
            let proxy = ProviderProxy(Secret(text))
            #expect(proxy?.place == place, "\(text)")
        }
        for text in [
            "", "http://", "https://proxy:1", "socks5://proxy:1", "http://proxy:0", "http://proxy:65536",
            "http://proxy:x", "http://proxy/path", "http://u:%zz@proxy:1", "http://a b:1", "::1:3128", "http://[::1",
        ] {
            #expect(ProviderProxy(Secret(text)) == nil, "\(text)")
        }
    }

    @Test func `a proxy shows neither its user nor its password`() {
        let proxy = ProviderProxy(Secret("http://hunter1:hunter2@proxy:3128"))
        var text = "\(String(describing: proxy)) \(String(reflecting: proxy)) \(proxy?.place ?? "")"
        dump(proxy, to: &text)
        #expect(!text.contains("hunter"))
    }

    // MARK: Without a proxy

    @Test func `this machine is never called through a proxy`() {
        for local in ["http://127.0.0.1:1/v2", "https://127.9.9.9", "http://localhost:8090/v2", "https://[::1]/v2"] {
            #expect(ProxyExceptions.isLoopback(local), "\(local)")
        }
        for far in ["https://api.telnyx.com/v2", "http://localhost.evil.example", "http://128.0.0.1", "https://[::2]/"]
        {
            #expect(!ProxyExceptions.isLoopback(far), "\(far)")
        }
    }

    @Test(arguments: [
        ("api.telnyx.com", true), ("telnyx.com", true), (".telnyx.com", true), ("*.telnyx.com", true), ("*", true),
        ("API.Telnyx.COM.", true), ("a.example, api.telnyx.com", true), ("a.example api.telnyx.com", true),
        ("api.telnyx.com:443", true), ("api.telnyx.com:8443", false), ("", false), (",", false), ("elnyx.com", false),
        (".api.telnyx.com", true), (" *", true), ("a.example,*", true), ("*.com:443", true), ("*:443", false),
        ("www.telnyx.com", false), ("telnyx.com.evil.example", false), ("10.0.0.0/8", false),
    ])
    func `NO_PROXY excepts a name and the names below it`(list: String, isExcepted: Bool) {
        #expect(ProxyExceptions.contain("https://api.telnyx.com/v2", in: list) == isExcepted)
    }

    @Test(arguments: [
        ("http://10.1.2.3:8090/v2", "10.1.2.3", true), ("http://10.1.2.3:8090/v2", "10.0.0.0/8", true),
        ("http://10.1.2.3:8090/v2", "10.1.2.0/30", true), ("http://10.1.2.4:8090/v2", "10.1.2.0/30", false),
        ("http://10.1.2.3:8090/v2", "10.1.2.3:8090", true), ("http://10.1.2.3:8090/v2", "10.1.2.3:80", false),
        ("http://10.1.2.3/v2", ".3", false), ("https://[fd00::1]/v2", "fd00::/8", true),
        ("https://[fd00::1]/v2", "[fd00::1]:443", true), ("https://[fd00::1]/v2", "fd00::2", false),
        ("https://[fd00::1]/v2", "[fd00::1]", true), ("https://[fd00::1]/v2", "FD00:0::1", true),
        ("https://[fd00::1]/v2", "[fd00::1]:8443", false), ("https://[fd00::1]:8443/v2", "[fd00::1]:8443", true),
        ("https://[fd00::1]/v2", "*", true), ("http://10.1.2.3/v2", "::ffff:10.1.2.3", true),
        ("http://10.1.2.3/v2", "10.0.0.0/33", false), ("http://10.1.2.3/v2", "fd00::/8", false),
    ])
    func `NO_PROXY excepts addresses and blocks of them`(url: String, list: String, isExcepted: Bool) {
        #expect(ProxyExceptions.contain(url, in: list) == isExcepted)
    }

    /// Lends a client whose proxy takes these steps. Its provider has a name that nobody can resolve.
    private static func through(
        _ steps: [ScriptedServer.Step], login: String = "",
        _ work: (TelnyxClient, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(steps) { server, port in
            let proxy = try #require(ProviderProxy(Secret("http://\(login)127.0.0.1:\(port)")))
            try await ScriptedClient.client("http://provider.invalid/v2", proxy: proxy) { try await work($0, server) }
        }
    }
}
