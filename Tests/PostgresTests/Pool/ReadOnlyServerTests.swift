// SPDX-License-Identifier: Apache-2.0
// A pool never stays with a server that takes no writes, and finds it again when it does.

import Foundation
import PrivatePostgres
import Testing

@testable import Postgres

@Suite struct ReadOnlyServerTests {
    /// The sessions are ended within the spell too, so that new ones would be born read-only.
    @Test(arguments: [false, true])
    func `writes succeed again soon after a read-only spell`(_ endsSessions: Bool) async throws {
        try await ServerBed.with { bed in
            try await bed.administer("create table t (a int)")
            try await bed.fill()
            try await bed.administer("alter system set default_transaction_read_only = on", "select pg_reload_conf()")
            if endsSessions { try await bed.endSessions() }
            try await bed.write(untilItSucceeds: false)
            try await bed.administer("alter system reset default_transaction_read_only", "select pg_reload_conf()")
            #expect(try await bed.write(untilItSucceeds: true) < .seconds(5))
        }
    }

    /// The connection string asks for any session, so only the refusal tells.
    @Test(arguments: [false, true])
    func `a connection that refused a write is not lent again`(_ inPipeline: Bool) async throws {
        try await ServerBed.with(
            {
                $0.connection = Self.anySession(of: $0.connection)
                $0.maximum = 1
            },
            { bed in
                try await bed.administer(
                    "create table t (a int)", "alter database postgres set default_transaction_read_only = on")
                let refusal = await Self.refusal(of: bed.pool, inPipeline: inPipeline)
                #expect(refusal?.sqlState == "25006" && refusal?.isUnavailable == true)
                #expect(bed.pool.counts.idle == 0)
                try await bed.administer("alter database postgres reset default_transaction_read_only")
                _ = try await bed.pool.query("insert into t values (1)")
                #expect(bed.pool.counts.idle == 1)
            })
    }

    private static func anySession(of configuration: PostgresConfiguration) -> PostgresConfiguration {
        (try? PostgresConfiguration(
            url: "postgresql:///postgres?host=\(configuration.hosts)&user=postgres&target_session_attrs=any"))
            ?? configuration
    }

    private static func refusal(of pool: PostgresPool, inPipeline: Bool) async -> PostgresError? {
        do {
            guard inPipeline else {
                _ = try await pool.query("insert into t values (1)")
                return nil
            }
            return try await pool.withConnection { connection in
                let results = try await connection.pipeline([["select 1"], ["insert into t values (1)"]])
                if case .failure(let error) = results[1][0] { return error }
                return nil
            }
        } catch {
            return error as? PostgresError
        }
    }

    @Test func `a session made read-only since is not lent again although it only reads`() async throws {
        try await ServerBed.with({ $0.maximum = 1 }) { bed in
            try await bed.fill(1)
            try await bed.administer("alter system set default_transaction_read_only = on", "select pg_reload_conf()")
            let deadline = ContinuousClock.now + .seconds(30)
            // The session learns of the setting at one of its next statements.
            while (try? await bed.pool.query("select 1")) != nil {
                try #require(ContinuousClock.now < deadline, "the session was kept")
            }
            #expect(bed.pool.counts.idle == 0)
        }
    }

    @Test func `a standby is taken only once it is promoted`() async throws {
        try await ServerBed.with { bed in
            try await bed.administer("create table t (a int)")
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-standby-\(UUID())")
            let standby = try await bed.server.standby(in: folder)
            standby.stopAtExit(removingData: true)
            defer { standby.remove() }
            let configuration = try PostgresConfiguration(url: standby.url())
            let error = await #expect(throws: PostgresError.self) {
                _ = try await PostgresConnection.connect(configuration)
            }
            #expect(error?.code == .connectFailed)
            try await standby.promote()
            let connection = try await PostgresConnection.connect(configuration)
            _ = try await connection.query("insert into t values (1)")
            await connection.close()
            try await standby.stop(mode: "immediate")
        }
    }
}
