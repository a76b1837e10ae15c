// SPDX-License-Identifier: Apache-2.0
// This lends a client that talks to a scripted server.

import AsyncHTTPClient
import Foundation
import Model
import NIOSSL

@testable import Telnyx

enum ScriptedClient {
    /// The create that the tests send.
    static let request = CreateRequest(connectionID: "1000000001", name: "dt-name", tag: "acme", expiresAt: nil)
    /// The time by which the client reads a wait.
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    /// Returns a credential as the vendor shows it, with two members that the client must not read.
    static func credential(_ name: String = "dt-name", id: String = "c-1") -> String {
        """
        {"id":"\(id)","name":"\(name)","sip_username":"gencred1","sip_password":"hush","expired":false,\
        "created_at":"2020-06-18T21:32:38","expires_at":"2020-06-18 21:32:38.5Z",\
        "updated_at":"2020-06-18T21:32:38.000Z","signing_secret":"extra","nested":{"a":[1]}}
        """
    }

    /// Lends a client of a server that takes these steps. `cap` is the most bytes of a body.
    static func with(
        _ steps: [ScriptedServer.Step], deadline: Duration = .seconds(15), cap: Int = 1 << 20, scheme: String = "http",
        greeting: String? = nil, _ work: (TelnyxClient, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(steps, greeting: greeting) { server, port in
            try await Self.client("\(scheme)://127.0.0.1:\(port)/v2", deadline, cap) { try await work($0, server) }
        }
    }

    /// Lends a client of that URL, which calls it through `proxy` and trusts `trust` instead of the system's roots.
    static func client(
        _ url: String, _ deadline: Duration = .seconds(15), _ cap: Int = 1 << 20, key: String = "KEY-secret",
        proxy: ProviderProxy? = nil, trust: NIOSSLTrustRoots? = nil,
        heard: TelnyxClient.Heard? = nil, _ work: (TelnyxClient) async throws -> Void
    ) async throws {
        var settings = TelnyxClient.httpConfiguration(concurrency: 4, deadline: deadline, proxy: proxy)
        if let trust { settings.tlsConfiguration?.trustRoots = trust }
        let http = HTTPClient(configuration: settings)
        var configuration = TelnyxClient.Configuration(baseURL: url, apiKey: Secret(key), deadline: deadline)
        configuration.maximumBody = cap
        configuration.heard = heard
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(TelnyxClient(configuration: configuration, http: http) { Self.now }))
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
        try outcome.get()
    }

    /// Returns the outcome in a word, so that tables can be compared.
    static func word(_ outcome: CreateOutcome) -> String {
        switch outcome {
        case .created: "created"
        case .notSent: "notSent"
        case .rateLimited(let wait, _): "rateLimited \(wait.components.seconds)"
        case .unauthorised(let scope, _): "unauthorised \(scope)"
        case .rejected(let status, _, _): "rejected \(status)"
        case .inDoubt: "inDoubt"
        }
    }
}
