// SPDX-License-Identifier: Apache-2.0
// A sender's secret is pasted into a terminal, and the terminal does not show it.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct PastedSecretTests {
    @Test func `a secret that is pasted into a terminal is brought in, and is not shown`() async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                try await desk.done("source", "create", "clerk", "--tenant", "acme", "--preset", "clerk")
                let secret = "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())"
                let (code, shown) = try await Self.paste(
                    secret, into: "source rotate clerk --tenant acme --secret-file - --overlap-hours 0",
                    desk.environment)
                #expect(code == 0 && !shown.contains(secret) && !shown.contains("whsec_"), "\(shown)")
                let made = try await database.admin.query(
                    "select made_by from dialtone.source_secrets order by created_at desc limit 1"
                ).map { try $0.decode(String.self) }
                #expect(made == ["sender"])
            }
        }
    }

    /// Runs a command in a terminal of its own, which script(1) makes. Pastes the text when it is asked for. Returns
    /// the exit code, and all that the terminal has shown.
    private static func paste(
        _ text: String, into command: String, _ environment: [String: String]
    ) async throws -> (code: Int32, shown: String) {
        let program = try #require(Program.process([], [:]).executableURL).path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
        process.arguments = ["--quiet", "--return", "--command", "'\(program)' \(command)", "/dev/null"]
        process.environment = environment.merging(["SHELL": "/bin/sh"]) { $1 }
        let (typed, shown) = (Pipe.own(), Listener())
        process.standardInput = typed
        process.standardOutput = shown.pipe
        process.standardError = shown.pipe
        try process.run()
        // What is typed before the question is thrown away.
        try await shown.waits(for: "Paste the secret, then Enter: ")
        try typed.fileHandleForWriting.write(contentsOf: Data("\(text)\n".utf8))
        let code = await Desk.exitCode(of: process)
        return (code, await shown.rest())
    }
}
