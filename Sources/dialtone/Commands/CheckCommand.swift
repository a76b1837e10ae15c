// SPDX-License-Identifier: Apache-2.0
// `dialtone check`: finds out whether settings, database and provider are in order.

import ArgumentParser
import Composition

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Tries settings and database, and with --provider the provider's key and connections; creates nothing.")

    @Flag(help: "Also ask the provider.") var provider = false
    @Option(help: "Only ask the service that runs at this address, host:port or a URL, whether it is ready.")
    var ready: String?
    @Flag(help: "Print JSON.") var json = false

    private struct Line: Encodable {
        var check: String
        var ok: Bool
        var problem: String?
    }

    func run() async throws {
        let lines = try await self.tried().map { Line(check: $0.name, ok: $0.problem == nil, problem: $0.problem) }
        if self.json {
            try Terminal.show(json: Listing(data: lines, next: nil))
        } else {
            for line in lines {
                Terminal.show(line.ok ? "ok      \(line.check)" : "FAILED  \(line.check): \(line.problem ?? "")")
            }
        }
        guard lines.allSatisfy(\.ok) else { throw ExitCode(1) }
    }

    private func tried() async throws -> [Administration.Checked] {
        if let ready { return [("service at \(ready)", try await ReadinessProbe.problem(of: ready))] }
        let settings = try await Settings.read()
        for warning in settings.warnings { Terminal.tell("warning: \(warning)") }
        return try await Administration(settings).check(provider: self.provider)
    }
}
