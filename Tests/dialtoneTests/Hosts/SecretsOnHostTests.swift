// SPDX-License-Identifier: Apache-2.0
// Secrets in files on an ordinary host: open modes are named, and a file that becomes something else stops nothing.

import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@Suite struct SecretsOnHostTests {
    @Test func `check and serve name each secret's file that others may open, and no closed one`() async throws {
        try await Desk.withSimulator { desk in
            let names = try Self.moveSecrets(of: &desk)
            for (mode, isOpen) in [(0o600, false), (0o644, true)] {
                for file in names.values {
                    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                }
                let checked = try await desk.run(["check"])
                #expect(checked.code == 0, "\(checked)")
                let errors = Listener()
                let (service, _) = try await Desk.start(["serve"], desk.environment, errors: errors.pipe)
                #expect(await Desk.end(service, by: SIGTERM) == 0)
                let log = await errors.rest()
                for (name, file) in names {
                    let words = "\(name) names \(file), which others than its owner may open (mode 0644)"
                    #expect(checked.errors.contains("warning: \(words)") == isOpen, "check, \(name): \(checked.errors)")
                    let told = log.replacing("\\/", with: "/").contains(words)
                    #expect(told == isOpen, "serve, \(name): \(log)")
                }
                #expect(log.contains("\"a setting is unsafe\"") == isOpen)
            }
        }
    }

    /// A named pipe without a writer blocks who opens it.
    @Test(arguments: ["pipe", "folder", "empty"])
    func `a secret's file that becomes something else is told, and requests and SIGHUP go on`(
        kind: String
    ) async throws {
        try await Desk.withSimulator { desk in
            let names = try Self.moveSecrets(of: &desk)
            let errors = Listener()
            let (service, ready) = try await Desk.start(["serve"], desk.environment, errors: errors.pipe)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            for name in ["TELNYX_API_KEY_FILE", "DATABASE_URL_FILE"] {
                let file = try #require(names[name])
                let text = try String(contentsOfFile: file, encoding: .utf8)
                try FileManager.default.removeItem(atPath: file)
                switch kind {
                case "pipe": #expect(mkfifo(file, 0o600) == 0)
                case "folder":
                    try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
                default: try "".write(toFile: file, atomically: true, encoding: .utf8)
                }
                kill(service.processIdentifier, SIGHUP)
                try await errors.waits(for: "the old secret stays in use\",\"name\":\"\(name.dropLast(5))\"")
                // New connections read the file, too.
                _ = try await desk.database.admin.query(
                    """
                    select pg_terminate_backend(pid)::text from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
                    """)
                let wire = try Wire(to: address)
                wire.send("GET /readyz")
                #expect(wire.answer().hasPrefix("HTTP/1.1 "), "\(name)")
                try FileManager.default.removeItem(atPath: file)
                try text.write(toFile: file, atomically: true, encoding: .utf8)
            }
            try await desk.signUp("u-1", at: address)
            try await desk.database.until("select 1 from dialtone.users where status = 'ready'")
            #expect(await Desk.end(service, by: SIGTERM) == 0)
        }
    }

    @Test func `serve writes no core file, and no other process reads its memory or environment`() async throws {
        try await Desk.withSimulator { desk in
            let (service, _) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            let folder = "/proc/\(service.processIdentifier)"
            let limits = try String(contentsOfFile: "\(folder)/limits", encoding: .utf8)
            #expect(limits.contains(/Max core file size +0 +0/))
            // The kernel gives the files of a process that is not dumpable to root. A test that root runs cannot tell.
            for name in ["environ", "mem", "maps"] {
                var status = stat()
                #expect(stat("\(folder)/\(name)", &status) == 0 && status.st_uid == 0, "\(name)")
            }
        }
    }

    /// Moves the desk's secrets from its environment into files. Returns the files by their settings.
    private static func moveSecrets(of desk: inout Desk) throws -> [String: String] {
        var files: [String: String] = [:]
        for (setting, variable) in [
            ("DATABASE_URL_FILE", "DATABASE_URL"), ("TELNYX_API_KEY_FILE", "TELNYX_API_KEY"), ("DIALTONE_KEK", "KEK"),
        ] {
            let file = desk.folder.appendingPathComponent(variable).path
            try (desk.environment[variable] ?? "").write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            desk.environment[variable] = nil
            desk.environment[setting] = setting == "DIALTONE_KEK" ? "file:\(file)" : file
            files[setting] = file
        }
        return files
    }
}
