// SPDX-License-Identifier: Apache-2.0
// `dialtone migrate` that waits says so, and ends when it is told to.

import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@Suite struct MigrateSignalTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `a waiting migrate ends at SIGTERM and SIGINT with exit code 1 and gives the reason`(
        signal: Int32
    ) async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            _ = try await database.admin.query(
                "select pg_advisory_lock(hashtextextended('dialtone.migrate', 0))::text")
            let errors = Pipe.own()
            var command = Command(
                OutsideProgram.repository.appendingPathComponent(".build/debug/dialtone").path,
                ["migrate", "--wait", "10m"], environment: ["DATABASE_URL": database.url])
            command.errors = .pipe(errors)
            let process = try command.start()
            var told = ""
            for await bytes in errors.pieces() {
                told += String(decoding: bytes, as: UTF8.self)
                if told.contains("waiting for another dialtone migrate: process") {
                    process.signal(signal)
                }
            }
            let code = await process.ended()
            #expect(code == 1 && process.hasExited, "\(told)")
            #expect(told.contains("stopped by a signal"), "\(told)")
        }
    }
}
