// SPDX-License-Identifier: Apache-2.0
// `dialtone source update`: another mapping for a source, other tenants that it may name, or names that it keeps.

import ArgumentParser
import Composition
import Model

struct SourceUpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Changes the mapping of a source, its tenants, or whether it keeps names.",
        discussion: """
              dialtone source update clerk --config clerk.json
              dialtone source update platform --allow acme,globex,initech
              dialtone source update clerk --keep-names

            The new mapping takes the place of the whole old one, and counts within 5 seconds. It is refused when it
            cannot be read, or when the source's secrets do not fit its proofs. What the ledger has stays.
            After --no-names nothing more is told of people's names. Those that are kept go with dialtone user erase.
            """)

    @OptionGroup var named: NamedSource
    @Option(help: "A file with the mapping, or what is to differ from the source's preset; - reads standard input.")
    var config: String?
    @Option(help: "The tenants it may name from now on, separated by commas.") var allow: String?
    @Flag(help: "Keep the names and e-mail addresses of its people from now on, sealed.") var keepNames = false
    @Flag(help: "Keep no more names.") var noNames = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard !self.keepNames || !self.noNames else { throw ValidationError("give either --keep-names or --no-names") }
        guard self.config != nil || self.allow != nil || self.keepNames || self.noNames else {
            throw ValidationError("give --config, --allow, --keep-names or --no-names")
        }
    }

    func run() async throws {
        let tenant = try self.named.tenant
        let configuration = try self.config.map { try FileArgument.read($0, option: "--config") }
        let allowed = try self.allow.map { try NamedSource.tenants($0) }
        let line = try await Acting.administration().updateSource(
            self.named.source, tenant: tenant, configuration: configuration, allowed: allowed,
            keepsNames: self.keepNames ? true : self.noNames ? false : nil)
        if self.json { return try Terminal.show(json: line) }
        let version = line.config_version.map { "version \($0)" } ?? ""
        Terminal.show(
            line.changed
                ? "source \(line.source) has \(version), which counts within 5 seconds"
                : "source \(line.source) is so already, in \(version)")
    }
}
