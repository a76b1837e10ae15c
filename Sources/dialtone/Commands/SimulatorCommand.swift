// SPDX-License-Identifier: Apache-2.0
// `dialtone simulator`: runs a simulated provider, to try the service out.

import ArgumentParser
import Composition

struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulator",
        abstract: "Runs a stand-in for the provider, with faults to switch on; for tests, never for users.",
        discussion: """
            Point the service at it: TELNYX_BASE_URL=http://127.0.0.1:8090/v2. Faults and counts are under /control:

              curl -X PUT http://127.0.0.1:8090/control/faults \\
                -d '{"rules":[{"operation":"create","kind":"empty_500","times":3}]}'

            With an API key, /control asks for it too: -H "Authorization: Bearer $KEY". SIP passwords are shown by \
            /control/credentials?secrets=1 only. Without --state it forgets everything when it ends: the service then \
            finds its credentials missing at the provider.
            """)

    @Option(help: "Where to listen, as host:port; port 0 picks one.") var listen = "127.0.0.1:8090"
    @Option(help: "A file to keep its state in.") var state: String?
    @Option(help: "The only API key it accepts. Default: any. Every list of processes shows it.") var apiKey: String?
    @Option(help: "A file that holds the only API key it accepts.") var apiKeyFile: String?

    func validate() throws {
        guard self.apiKey == nil || self.apiKeyFile == nil else {
            throw ValidationError("give either --api-key or --api-key-file")
        }
        guard Settings.address(self.listen) != nil else { throw ValidationError("--listen must be host:port") }
    }

    func run() async throws {
        guard let address = Settings.address(self.listen) else { return }
        let fromFile = try self.apiKeyFile.map { try SecretArgument.read($0, option: "--api-key-file") }
        if ListenAddress.isEveryAddress(address.host) { Terminal.tell("listening on all addresses of this machine") }
        try await RunSimulator.run(
            host: address.host, port: address.port, stateFile: self.state, apiKey: fromFile ?? self.apiKey
        ) { port in
            let shown = ListenAddress.shown(host: address.host, port: port)
            Terminal.show("{\"ready\":true,\"base_url\":\"http://\(shown)/v2\"}")
        }
    }
}
