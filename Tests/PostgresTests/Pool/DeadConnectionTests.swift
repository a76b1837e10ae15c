// SPDX-License-Identifier: Apache-2.0
// A pooled connection that has died is found before it is lent, so its death costs no statement.

import Foundation
import Glibc
import PrivatePostgres
import Testing

@testable import Postgres

@Suite struct DeadConnectionTests {
    @Test(arguments: ["fast", "immediate"])
    func `after a restart of the server no statement fails`(_ mode: String) async throws {
        try await ServerBed.with { bed in
            try await bed.fill()
            try await bed.server.stop(mode: mode)
            try await bed.server.startAgain()
            let start = ContinuousClock.now
            _ = try await bed.pool.query("select 1")
            #expect(ContinuousClock.now - start < .seconds(5))
            try await bed.fill()
        }
    }

    @Test func `the end of idle sessions costs no statement`() async throws {
        try await ServerBed.with { bed in
            for _ in 0..<3 {
                try await bed.fill()
                try await bed.endSessions()
                for _ in 0..<4 { _ = try await bed.pool.query("select 1") }
            }
        }
    }

    @Test func `one lost exchange closes every idle connection`() async throws {
        try await ServerBed.with { bed in
            try await bed.fill()
            #expect(bed.pool.counts.idle == 4)
            let error = await #expect(throws: PostgresError.self) {
                _ = try await bed.pool.query("select pg_terminate_backend(pg_backend_pid())::text, pg_sleep(5)::text")
            }
            #expect(error?.isUnavailable == true)
            #expect(bed.pool.counts.idle == 0)
        }
    }

    @Test func `a statement that the server refuses closes no connection`() async throws {
        try await ServerBed.with { bed in
            try await bed.fill()
            await #expect(throws: PostgresError.self) { _ = try await bed.pool.query("select 1 / 0") }
            #expect(bed.pool.counts.idle == 4)
        }
    }

    @Test func `a connection is replaced when its life is over`() async throws {
        try await ServerBed.with({ $0.maximumLife = .nanoseconds(1) }) { bed in
            var processes: Set<Int32> = []
            for _ in 0..<3 {
                processes.insert(try await bed.pool.withConnection { await $0.backendPID })
                #expect(bed.pool.counts.idle == 0)
            }
            #expect(processes.count == 3)
        }
    }

    /// A stopped process keeps its socket open and says nothing, as a server behind a cut cable does.
    @Test func `a connection that fell silent while idle is replaced before its use`() async throws {
        try await ServerBed.with(
            {
                $0.quietAfter = .zero
                $0.connection.connectTimeout = .seconds(3)
                $0.leaseTimeout = .seconds(60)
            },
            { bed in
                try await bed.fill(1)
                let silent = try await bed.pool.withConnection { await $0.backendPID }
                try #require(kill(silent, SIGSTOP) == 0)
                defer { _ = kill(silent, SIGCONT) }
                let other = try await bed.pool.withConnection { await $0.backendPID }
                #expect(other != silent)
            })
    }

    @Test func `a transaction is read committed whatever the server's default is`() async throws {
        try await ServerBed.with { bed in
            try await bed.administer("alter database postgres set default_transaction_isolation = serializable")
            let isolation = try await bed.pool.withTransaction { connection in
                try await connection.query("select current_setting('transaction_isolation')").first?.decode(String.self)
            }
            #expect(isolation == "read committed")
        }
    }
}
