// SPDX-License-Identifier: Apache-2.0
// A sender's secret or an API key is pasted into a terminal, and the terminal does not show it.

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
                    secret, as: "secret", into: "source rotate clerk --tenant acme --secret-file - --overlap-hours 0",
                    desk.environment)
                #expect(code == 0 && !shown.contains(secret) && !shown.contains("whsec_"), "\(shown)")
                let made = try await database.admin.query(
                    "select made_by from dialtone.source_secrets order by created_at desc limit 1"
                ).map { try $0.decode(String.self) }
                #expect(made == ["sender"])
            }
        }
    }

    @Test func `a key that is pasted into login is kept, and is not shown`() async throws {
        let tenant = """
            {"tenant":"acme","status":"active","connection_id":"1","created_at":"2026-01-01T00:00:00.000Z"}
            """
        let api = try StandIn { _ in .reply(200, "{\"data\":[\(tenant)],\"next\":null}") }
        defer { api.stop() }
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        let key = "dtk_abcdef_secretpart"
        let (code, shown) = try await Self.paste(
            key, as: "key", into: "login --url http://127.0.0.1:\(api.port) --profile prod", ["HOME": home.path])
        #expect(code == 0 && shown.contains("logged in") && !shown.contains("secretpart"), "\(shown)")
        let file = home.appendingPathComponent(".config/dialtone/profiles.json")
        let kept = try String(contentsOf: file, encoding: .utf8)
        #expect(kept.contains(key))
    }

    /// Runs a command in a terminal of its own, which script(1) makes. Pastes the text when it is asked for. Returns
    /// the exit code, and all that the terminal has shown.
    private static func paste(
        _ text: String, as what: String, into command: String, _ environment: [String: String]
    ) async throws -> (code: Int32, shown: String) {
        var terminal = Command(
            "/usr/bin/script", ["--quiet", "--return", "--command", "'\(Program.path)' \(command)", "/dev/null"],
            environment: environment.merging(["SHELL": "/bin/sh"]) { $1 })
        let (typed, shown) = (Pipe.own(), Listener())
        terminal.input = .pipe(typed)
        terminal.output = .pipe(shown.pipe)
        terminal.errors = .pipe(shown.pipe)
        let process = try terminal.start()
        // What is typed before the question is thrown away.
        try await shown.waits(for: "Paste the \(what), then Enter: ")
        try typed.fileHandleForWriting.write(contentsOf: Data("\(text)\n".utf8))
        let code = await process.ended()
        return (code, await shown.rest())
    }
}
