// SPDX-License-Identifier: Apache-2.0
// Behind a proxy the client speaks TLS with the provider itself, and believes nobody who is not the provider.

import Foundation
import Model
import NIOSSL
import Testing

@testable import Telnyx

@Suite struct TunnelTests {
    private static let made = ScriptedServer.Step.reply(201, "{\"data\":\(ScriptedClient.credential())}")

    @Test func `a create goes in TLS through the tunnel, and the proxy sees neither key nor call`() async throws {
        let certificate = try TestCertificate(for: "provider.invalid")
        try await Self.through([Self.made], certificate, trust: certificate.trust) { client, server, proxy in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "created")
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "created")
            #expect(server.seen.map(\.line) == Array(repeating: "POST /v2/telephony_credentials HTTP/1.1", count: 2))
            #expect(server.seen.allSatisfy { $0.head.contains("Bearer KEY-secret") })
            let login = Data("user:hunter2".utf8).base64EncodedString()
            #expect(proxy.seen.count == 1, "one tunnel serves both calls")
            for said in proxy.seen {
                #expect(said.hasPrefix("CONNECT provider.invalid:443 HTTP/1.1\r\n") && said.contains("Basic \(login)"))
                #expect(!said.contains("KEY-") && !said.contains("dt-name"))
            }
            #expect(server.seen.allSatisfy { !$0.head.contains(login) })
        }
    }

    /// The proxy opens TLS itself, or the tunnel leads to somebody else.
    @Test(arguments: [("provider.invalid", false), ("another.invalid", true)])
    func `a create to a server that cannot prove to be the provider is not sent`(
        _ name: String, _ isTrusted: Bool
    ) async throws {
        let certificate = try TestCertificate(for: name)
        let trust = isTrusted ? certificate.trust : try TestCertificate(for: name).trust
        try await Self.through([Self.made], certificate, trust: trust) { client, server, proxy in
            guard case .notSent(let reason) = await client.create(ScriptedClient.request) else {
                Issue.record("the key went to somebody else")
                return
            }
            #expect(reason == "TLS failed")
            #expect(server.seen.isEmpty && proxy.seen.count == 1)
        }
    }

    @Test func `a create that is lost in TLS behind the tunnel is in doubt`() async throws {
        let certificate = try TestCertificate(for: "provider.invalid")
        try await Self.through([.sayAndClose("")], certificate, trust: certificate.trust) { client, server, _ in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "inDoubt")
            #expect(server.seen.count == 1)
        }
    }

    /// Lends a client whose only way to its provider is the tunnel of a proxy with a login.
    private static func through(
        _ steps: [ScriptedServer.Step], _ certificate: TestCertificate, trust: NIOSSLTrustRoots,
        _ work: (TelnyxClient, ScriptedServer, TunnelProxy) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(steps, tls: certificate.server) { server, port in
            try await TunnelProxy.with(to: port) { tunnel, port in
                let proxy = try #require(ProviderProxy(Secret("http://user:hunter2@127.0.0.1:\(port)")))
                try await ScriptedClient.client("https://provider.invalid/v2", proxy: proxy, trust: trust) { client in
                    try await work(client, server, tunnel)
                }
            }
        }
    }
}
