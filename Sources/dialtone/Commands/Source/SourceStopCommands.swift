// SPDX-License-Identifier: Apache-2.0
// `dialtone source disable` and `enable`: a source rests, and its sender is told to come again.

import ArgumentParser
import Composition
import Model

struct SourceDisableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Stops a source; its sender is told to come again (503).",
        discussion: """
            Within 5 seconds nothing of it is stored any more. Senders repeat what is answered with 503, and some switch
            a hook off that fails for long: see docs/sources/README.md.
            """)

    @OptionGroup var named: NamedSource
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let line = try await Acting.administration().disableSource(
            self.named.source, tenant: try self.named.tenant)
        if self.json { return try Terminal.show(json: line) }
        Terminal.show(
            line.changed
                ? "source \(line.source) is disabled within 5 seconds" : "source \(line.source) is disabled already")
    }
}

struct SourceEnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Takes the deliveries of a source again.")

    @OptionGroup var named: NamedSource
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let line = try await Acting.administration().enableSource(
            self.named.source, tenant: try self.named.tenant)
        if self.json { return try Terminal.show(json: line) }
        Terminal.show(
            line.changed
                ? "source \(line.source) is active within 5 seconds" : "source \(line.source) is active already")
    }
}
