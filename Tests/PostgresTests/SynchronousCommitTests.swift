// SPDX-License-Identifier: Apache-2.0
// A commit that stopped waiting for its synchronous standby may be on one server only, so it counts as unknown.

import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite struct SynchronousCommitTests {
    @Test func `a commit that stopped waiting for the standby is reported as unknown`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-sync-\(UUID().uuidString)")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        defer { server.remove() }
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        let writer = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await admin.script("create table kept (id int8)")
        let commits = try await WaitingCommits(on: server, admin: admin)
        async let written = Self.write(on: writer)
        try await commits.endOne("pg_cancel_backend")
        #expect(await written == .commitUnknown)
        async let piped = Self.pipe(on: writer)
        try await commits.endOne("pg_cancel_backend")
        #expect(await piped == [.commitUnknown, .commitUnknown])
        // The unknown outcome does not carry over to the next exchange.
        #expect(try await writer.query("select 1 from kept").count == 3, "all were committed here all the same")
        await writer.close()
        await admin.close()
        try await server.stop(mode: "immediate")
    }

    private static func write(on connection: PostgresConnection) async -> PostgresError.Code? {
        do throws(PostgresError) {
            _ = try await connection.query("insert into kept values (1)")
            return nil
        } catch {
            return error.code
        }
    }

    /// The first group waits for no standby. The server does not say which group's wait was cancelled.
    private static func pipe(on connection: PostgresConnection) async -> [PostgresError.Code?] {
        let groups: [[SQL]] = [["select 1"], ["insert into kept values (2)", "insert into kept values (3)"]]
        guard let results = try? await connection.pipeline(groups) else { return [] }
        return results.joined().dropFirst().map { result in
            if case .failure(let error) = result { error.code } else { nil }
        }
    }
}
