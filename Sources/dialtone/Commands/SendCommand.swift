// SPDX-License-Identifier: Apache-2.0
// `dialtone send`: sends one signed event, to try the service out.

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
        let reply = try await SendEvent.run(
            url: self.url, secret: Secret(secret), type: self.type, user: key,
            deliveryID: self.id ?? "msg_\(UUID().uuidString.lowercased())")
        Terminal.show("\(reply.status) \(reply.body)")
        guard (200..<300).contains(reply.status) else { throw ExitCode(1) }
    }
}
