// SPDX-License-Identifier: Apache-2.0
// `scripts/check-ledger` shows the database's password to no list of processes.

import Foundation
import TestSupport
import Testing

@Suite struct CheckLedgerTests {
    @Test(arguments: [
        "postgresql://u:hunt%20er2@h:1/d?sslmode=disable", "postgresql://u@h/d?password=hunt%20er2&sslmode=disable",
        "host=h user=u password='hunt er2' dbname=d", "password=hunt\\ er2 host=h",
    ])
    func `the password reaches psql by its environment and never by its arguments`(url: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // In place of psql: it fails, and says what it was given.
        let psql = folder.appendingPathComponent("psql").path
        let text = "#!/bin/sh\necho \"arguments: $*\" >&2\necho \"password: $PGPASSWORD\" >&2\nexit 1\n"
        _ = FileManager.default.createFile(
            atPath: psql, contents: Data(text.utf8), attributes: [.posixPermissions: 0o755])

        let process = Process()
        process.executableURL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("scripts/check-ledger")
        process.arguments = ["http://127.0.0.1:1/v2"]
        process.environment = ["PATH": "\(folder.path):/usr/local/bin:/usr/bin:/bin", "DATABASE_URL": url]
        let errors = Pipe.own()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let told = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 2)
        #expect(told.contains("password: hunt er2"), "\(told)")
        let arguments = told.prefix(upTo: told.range(of: "password: ")?.lowerBound ?? told.endIndex)
        #expect(arguments.contains("arguments: -X") && !arguments.contains("er2"), "\(told)")
    }
}
