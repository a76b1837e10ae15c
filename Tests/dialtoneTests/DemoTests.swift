// SPDX-License-Identifier: Apache-2.0
// `dialtone demo` runs as a process: it ends the story with JSON and leaves nothing behind when it is interrupted.

import Foundation
import TestSupport
import Testing

@Suite struct DemoTests {
    @Test func `the demo reports exactly one credential per user as JSON`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let ended = try await Program.run(
            ["demo", "--once", "--users", "50", "--json", "--listen", "127.0.0.1:0", "--data-dir", folder.path],
            ["PATH": "/usr/bin:/bin"])
        #expect(ended.code == 0, "\(ended.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
        let told = try #require(object)
        for name in ["users", "credentials", "provider_ids"] { #expect(told[name] as? Int == 50, "\(name)") }
        #expect(told["duplicates"] as? Int == 0)
        #expect((told["login_token"] as? [String: Any])?["login_token"] is String)
    }

    @Test func `an interrupt ends the demo and its PostgreSQL server`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var command = Program.command(
            ["demo", "--users", "2", "--listen", "127.0.0.1:0", "--data-dir", folder.path], ["PATH": "/usr/bin:/bin"])
        let errors = Pipe.own()
        command.errors = .pipe(errors)
        var told = ""
        let process = try command.start()
        // The progress says when the users have their credentials.
        for await bytes in errors.pieces() {
            told += String(decoding: bytes, as: UTF8.self)
            if told.contains("credentials: 2 of 2") { break }
        }
        try #require(told.contains("credentials: 2 of 2"), "the demo ended: \(told)")
        let code = await Desk.end(process, by: SIGINT)
        #expect(code == 0 || code == 130)
        let pid = folder.appendingPathComponent("data/postmaster.pid").path
        #expect(!FileManager.default.fileExists(atPath: pid), "the server was stopped properly")
    }
}
