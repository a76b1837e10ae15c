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
            """
              DIALTONE_SOURCE_SECRET=whsec_… dialtone send --url http://127.0.0.1:8080/v1/hooks/hk_… --tenant acme \\
                --user u-1
            """)

    @Option(help: "The source's URL.") var url: String
    @Option(help: "The source's secret, whsec_…; every list of processes shows it. Better: DIALTONE_SOURCE_SECRET.")
    var secret: String?
    @Option(help: "A file that holds the source's secret.") var secretFile: String?
    @Option(help: "The tenant.") var tenant: String
    @Option(parsing: .unconditional, help: "The user's id.") var user: String
    @Option(help: "user.created or user.deleted.") var type = "user.created"
    @Option(parsing: .unconditional, help: "The delivery's id; the same one twice is a duplicate. Default: random.")
    var id: String?

    func validate() throws {
        guard self.secret == nil || self.secretFile == nil else {
            throw ValidationError("give either --secret or --secret-file")
        }
        guard ["user.created", "user.deleted"].contains(self.type) else {
            throw ValidationError("--type must be user.created or user.deleted")
        }
    }

    func run() async throws {
        let key = UserKey(tenant: try TenantID(self.tenant), user: try UserID(self.user))
        let given = try self.secretFile.map { try SecretArgument.read($0, option: "--secret-file") } ?? self.secret
        guard let secret = given ?? SecretVariables.environment["DIALTONE_SOURCE_SECRET"] else {
            throw InvalidValue("DIALTONE_SOURCE_SECRET", "is not set; or give --secret-file")
        }
        let reply = try await SendEvent.run(
            url: self.url, secret: Secret(SettingText.cleaned(secret)), type: self.type, user: key,
            deliveryID: self.id ?? "msg_\(UUID().uuidString.lowercased())")
        Terminal.show("\(reply.status) \(reply.body)")
        guard (200..<300).contains(reply.status) else { throw ExitCode(1) }
    }
}
