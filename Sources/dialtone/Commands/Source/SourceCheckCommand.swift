// SPDX-License-Identifier: Apache-2.0
// `dialtone source check`: what a source would make of a delivery, step by step. Nothing is sent or stored.

import ArgumentParser
import Composition
import Foundation
import Model

struct SourceCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Says what a source would make of a delivery; sends and stores nothing.",
        discussion: """
              dialtone source check clerk --file body.json \\
                --header 'svix-id: msg_1' --header 'svix-timestamp: 1795435200' \\
                --header 'svix-signature: v1,…' --at 2026-11-23T12:00:00Z

            Give a header whose value is the secret itself, such as authorization, in a file: other users of this \
            machine may read a command line.

              dialtone source check okta --file body.json --headers-file headers.txt

            The exit code is 1 when the sender is not proven, or when something would wait in \
            quarantine. The name may also be given as --source.
            """)

    @Argument(
        help: "The name of the source.",
        completion: .custom { words, _, _ in await LiveValues.sources(words, .database) })
    var name: String?
    @Option(
        help: "The name of the source.",
        completion: .custom { words, _, _ in await LiveValues.sources(words, .database) })
    var source: String?
    @Option(help: "The tenant that the source belongs to; none for one of several.") var tenant: String?
    @Option(help: "A file with the body, byte for byte as it came; - reads standard input.") var file: String
    @Option(help: "A header as 'name: value'; may be given several times.") var header: [String] = []
    @Option(help: "A file with a header on each line, as 'name: value'; - reads standard input.")
    var headersFile: String?
    @Option(help: "When it came, such as 2026-11-23T12:00:00Z. Default: now.") var at: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (self.name == nil) != (self.source == nil) else {
            throw ValidationError("give the name of the source, once: as an argument or as --source")
        }
        guard self.file != "-" || self.headersFile != "-" else {
            throw ValidationError("standard input is read once: give --file or --headers-file another file")
        }
    }

    func run() async throws {
        let tenant = try self.tenant.map { try TenantID($0) }
        let body = try FileArgument.read(self.file, option: "--file")
        let listed = try self.headersFile.map { try HeaderArgument.list(inFile: $0) } ?? []
        let headers = try listed + self.header.map { try HeaderArgument.read($0) }
        let now = try self.at.map { text in
            guard let date = RFC3339.date(text) else {
                throw InvalidValue("--at", "must be a time such as 2026-11-23T12:00:00Z")
            }
            return date
        }
        let line = try await Acting.reading().checkSource(
            self.name ?? self.source ?? "", tenant: tenant, body: body, headers: headers, now: now ?? Date())
        if self.json { try Terminal.show(json: line) } else { try Self.show(line) }
        if !line.isGood { throw ExitCode(1) }
    }

    private static func show(_ line: SourceCheckLine) throws {
        Terminal.show(line.refusal.map { "not proven: \($0)\n" } ?? "proven\n")
        if let warning = line.warning { Terminal.tell("dialtone: \(warning)") }
        if !line.steps.isEmpty {
            try Terminal.show(line.steps, json: false)
            Terminal.show("")
        }
        try Terminal.show(line.items, json: false)
        if !line.effect.users.isEmpty {
            Terminal.show(line.refusal == nil ? "" : "\nif it were proven:")
            try Terminal.show(line.effect.users, json: false)
        }
        Terminal.show("\ndecision: would be \(line.decision); this was a check, nothing was written")
    }
}
