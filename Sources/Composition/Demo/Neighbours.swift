// SPDX-License-Identifier: Apache-2.0
// The service's neighbours as commands: a sender of one event, and the simulated provider as a process of its own.

import AsyncHTTPClient
import Foundation
import Logging
package import Model
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Telemetry
import TelnyxSimulator
import UnixSignals

package enum Send {
    package static func one(
        url: String, secret: Secret<String>, type: String, user: UserKey, deliveryID: String
    ) async throws -> SignUpSender.Reply {
        guard URL(string: url)?.host != nil else { throw InvalidValue("--url", "must be the URL of a hook") }
        let http = HTTPClient()
        do {
            let reply = try await SignUpSender(url: url, secret: secret, http: http).send(
                type: type, user: user, deliveryID: deliveryID, at: Date())
            try await http.shutdown()
            return reply
        } catch {
            try? await http.shutdown()
            throw error
        }
    }
}

package enum Probe {
    /// Asks a running service whether it is ready; answers what is wrong, or nil.
    package static func readiness(of address: String) async throws -> String? {
        let url = "\(address.contains("://") ? address : "http://\(address)")/readyz"
        guard URL(string: url)?.host != nil else { throw InvalidValue("--ready", "must be host:port or a URL") }
        let http = HTTPClient()
        let problem: String?
        do {
            let answer = try await http.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
            let body = String(buffer: try await answer.body.collect(upTo: 4096))
            problem = answer.status == .ok ? nil : "answered \(answer.status.code): \(Self.detail(body))"
        } catch {
            problem = "gave no answer"
        }
        try await http.shutdown()
        return problem
    }

    private static func detail(_ body: String) -> String {
        struct Problem: Decodable { var detail: String }
        return (try? JSONDecoder().decode(Problem.self, from: Data(body.utf8)).detail) ?? "no reason given"
    }
}

package enum Simulate {
    /// Until SIGTERM or SIGINT.
    package static func run(
        host: String, port: Int, stateFile: String?, apiKey: String?, onReady: @escaping @Sendable (Int) async -> Void
    ) async throws {
        var configuration = TelnyxSimulator.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.stateFile = stateFile
        if let apiKey { configuration.apiKeys = [apiKey] }
        let logger = Logger(label: "simulator") { JSONLogHandler(label: $0, level: .notice) }
        let simulator = try TelnyxSimulator(configuration: configuration, logger: logger, onReady: onReady)
        let group = ServiceGroup(
            configuration: .init(services: [simulator], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}
