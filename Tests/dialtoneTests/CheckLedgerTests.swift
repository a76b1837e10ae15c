// SPDX-License-Identifier: Apache-2.0
// `scripts/check-ledger` shows the password of the database to no list of processes, and takes none from there.

import Foundation
import TestSupport
import Testing

@Suite struct CheckLedgerTests {
    @Test(arguments: [
        "postgresql://u:hunt%20er2@h:1/d?sslmode=disable", "postgresql://u@h/d?password=hunt%20er2&sslmode=disable",
        "host=h user=u password='hunt er2' dbname=d", "password=hunt\\ er2 host=h",
    ])
    func `the password reaches psql by its environment and never by its arguments`(url: String) throws {
        let (status, told) = try Self.run(["http://127.0.0.1:1/v2"], environment: ["DATABASE_URL": url])
        #expect(status == 2)
        #expect(told.contains("password: hunt er2"), "\(told)")
        let arguments = told.prefix(upTo: told.range(of: "password: ")?.lowerBound ?? told.endIndex)
        #expect(arguments.contains("arguments: -X") && !arguments.contains("er2"), "\(told)")
    }

    @Test func `a connection string among the arguments holds no password, and PGPASSWORD is taken`() throws {
        let provider = "http://127.0.0.1:1/v2"
        let (status, told) = try Self.run(["postgresql://u:hunter2@h/d", provider])
        #expect(status == 2 && told.contains("PGPASSWORD") && !told.contains("hunter2"), "\(told)")
        let (_, given) = try Self.run(["postgresql://u@h/d", provider], environment: ["PGPASSWORD": "hunt er2"])
        #expect(given.contains("password: hunt er2") && given.contains("-d postgresql://u@h/d"), "\(given)")
    }

    /// Runs the check with a `psql` that fails and says what it was given. Returns the exit code and stderr.
    private static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, told: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // In place of psql: it fails, and says what it was given.
        let psql = folder.appendingPathComponent("psql").path
        let text = "#!/bin/sh\necho \"arguments: $*\" >&2\necho \"password: $PGPASSWORD\" >&2\nexit 1\n"
        _ = FileManager.default.createFile(
            atPath: psql, contents: Data(text.utf8), attributes: [.posixPermissions: 0o755])

        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("scripts/check-ledger")
        var command = Command(
            script.path, arguments,
            environment: ["PATH": "\(folder.path):/usr/local/bin:/usr/bin:/bin"].merging(environment) { $1 })
        let errors = Pipe.own()
        command.errors = .pipe(errors)
        let process = try command.start()
        let told = String(decoding: errors.rest(), as: UTF8.self)
        return (process.waitUntilExit(), told)
    }
}
