// SPDX-License-Identifier: Apache-2.0
// `dialtone send` and `dialtone simulator`: the two neighbours of the service, for trying it out.

import ArgumentParser
import Composition
import Foundation
import Model

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Signs and sends one event, as an identity provider would.",
        discussion:
            "  dialtone send --url http://127.0.0.1:8080/v1/hooks/hk_… --secret whsec_… --tenant acme --user u-1")

    @Option(help: "The source's URL.") var url: String
    @Option(help: "The source's secret, whsec_…. Default: DIALTONE_SOURCE_SECRET, which no list of processes shows.")
    var secret: String?
    @Option(help: "The tenant.") var tenant: String
    @Option(help: "The user's id.") var user: String
    @Option(help: "user.created or user.deleted.") var type = "user.created"
    @Option(help: "The delivery's id; the same one twice is a duplicate. Default: random.") var id: String?

    func validate() throws {
        guard ["user.created", "user.deleted"].contains(self.type) else {
            throw ValidationError("--type must be user.created or user.deleted")
        }
    }

    func run() async throws {
        let key = UserKey(tenant: try TenantID(self.tenant), user: try UserID(self.user))
        guard let secret = self.secret ?? ProcessInfo.processInfo.environment["DIALTONE_SOURCE_SECRET"] else {
            throw InvalidValue("--secret", "is needed, or DIALTONE_SOURCE_SECRET in the environment")
        }
        let reply = try await Send.one(
            url: self.url, secret: Secret(secret), type: self.type, user: key,
            deliveryID: self.id ?? "msg_\(UUID().uuidString.lowercased())")
        Terminal.show("\(reply.status) \(reply.body)")
        guard (200..<300).contains(reply.status) else { throw ExitCode(1) }
    }
}

struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulator",
        abstract: "Runs a stand-in for the provider, with faults to switch on; for tests, never for users.",
        discussion: """
            Point the service at it: TELNYX_BASE_URL=http://127.0.0.1:8090/v2. Faults and counts are under /control:

              curl -X PUT -d '{"rules":[{"operation":"create","kind":"drop_after_commit","times":3}]}' \\
                http://127.0.0.1:8090/control/faults
            """)

    @Option(help: "Where to listen, as host:port; port 0 picks one.") var listen = "127.0.0.1:8090"
    @Option(help: "A file to keep its state in.") var state: String?
    @Option(help: "The only API key it accepts. Default: any.") var apiKey: String?

    func validate() throws {
        guard Settings.address(self.listen) != nil else { throw ValidationError("--listen must be host:port") }
    }

    func run() async throws {
        guard let address = Settings.address(self.listen) else { return }
        try await Simulate.run(host: address.host, port: address.port, stateFile: self.state, apiKey: self.apiKey) {
            port in
            Terminal.show("{\"ready\":true,\"base_url\":\"http://\(address.host):\(port)/v2\"}")
        }
    }
}
