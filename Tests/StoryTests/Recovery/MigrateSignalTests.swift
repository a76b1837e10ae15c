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
            let process = Process()
            process.executableURL = OutsideProgram.repository.appendingPathComponent(".build/debug/dialtone")
            process.arguments = ["migrate", "--wait", "10m"]
            process.environment = ["DATABASE_URL": database.url]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            let errors = Pipe()
            process.standardError = errors
            let (pieces, piece) = AsyncStream<Data>.makeStream()
            errors.fileHandleForReading.readabilityHandler = { handle in
                let bytes = handle.availableData
                if !bytes.isEmpty { piece.yield(bytes) }
                // The end of the file: the program has ended.
                if bytes.isEmpty {
                    handle.readabilityHandler = nil
                    piece.finish()
                }
            }
            try process.run()
            var told = ""
            for await bytes in pieces {
                told += String(decoding: bytes, as: UTF8.self)
                if told.contains("waiting for another dialtone migrate: process") {
                    kill(process.processIdentifier, signal)
                }
            }
            process.waitUntilExit()
            #expect(process.terminationStatus == 1 && process.terminationReason == .exit, "\(told)")
            #expect(told.contains("stopped by a signal"), "\(told)")
        }
    }
}
