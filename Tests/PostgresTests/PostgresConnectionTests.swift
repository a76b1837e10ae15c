// SPDX-License-Identifier: Apache-2.0
// The driver keeps its promises on a real server: values, lost backends, cancelled tasks, pipelines, large results.

import Foundation
import TestSupport
import Testing

@testable import Postgres

@Suite struct PostgresConnectionTests {
    @Test func `values come back from the server as they were sent`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let id = UUID()
            let at = Date(timeIntervalSince1970: 1_800_000_000.123456)
            let row = try await database.pool.query(
                """
                select \(true), \(Int32.min), \(Int64.max), \("ä€😀"), \(id), \(at), \(Bytes([0, 255])),
                       \(["a", nil, ""] as [String?]), \([id]), \([] as [Int64]), \(nil as Int64?)
                """
            ).first
            let values = try #require(row).columns
            var columns = values
            #expect(try columns.next(Bool.self))
            #expect(try columns.next(Int32.self) == .min)
            #expect(try columns.next(Int64.self) == .max)
            #expect(try columns.next(String.self) == "ä€😀")
            #expect(try columns.next(UUID.self) == id)
            #expect(abs(try columns.next(Date.self).timeIntervalSince(at)) < 0.000_002)
            #expect(try columns.next(Bytes.self) == Bytes([0, 255]))
            #expect(try columns.next([String?].self) == ["a", nil, ""])
            #expect(try columns.next([UUID].self) == [id])
            #expect(try columns.next([Int64].self) == [])
            #expect(try columns.next(Int64?.self) == nil)
        }
    }

    @Test func `an error names the violated constraint and never shows a value`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            try await database.admin.script("create table t (a text constraint t_a_unique unique)")
            _ = try await database.admin.query("insert into t values (\("secret-value"))")
            let error = await #expect(throws: PostgresError.self) {
                try await database.admin.query("insert into t values (\("secret-value"))")
            }
            #expect(error?.isUniqueViolation == true)
            #expect(error?.constraint == "t_a_unique")
            let invalid = await #expect(throws: PostgresError.self) {
                try await database.admin.query("select \("secret-value")::uuid")
            }
            #expect("\(error as Any) \(invalid as Any)".contains("secret-value") == false)
        }
    }

    @Test func `a query on a terminated backend fails as unavailable and the pool reconnects`() async throws {
        try await TestDatabase.with(isEmpty: true, connections: 1) { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.pool.query("select pg_terminate_backend(pg_backend_pid())::text, pg_sleep(5)::text")
            }
            #expect(error?.isUnavailable == true)
            #expect(error?.message.hasPrefix("terminating connection") == true, "the server's reason: \(error as Any)")
            let rows = try await database.pool.query("select 1")
            #expect(rows.count == 1)
        }
    }

    @Test func `a cancelled task rolls its transaction back and leaves none open`() async throws {
        try await TestDatabase.with(isEmpty: true, connections: 1) { database in
            try await database.admin.script("create table t (a int)")
            let (started, signal) = AsyncStream<Int32>.makeStream()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    try? await database.pool.withTransaction { connection in
                        _ = try await connection.query("insert into t values (1)")
                        signal.yield(await connection.backendPID)
                        _ = try await connection.query("select pg_sleep(60)::text")
                    }
                }
                for await _ in started.prefix(1) { group.cancelAll() }
            }
            let row = try await database.pool.query("select count(*) from t, pg_sleep(0)").first
            #expect(try #require(row).decode(Int64.self) == 0)
            let open = try await database.admin.query(
                """
                select 1 from pg_stat_activity
                where state like 'idle in transaction%' and datname = current_database()
                """)
            #expect(open.isEmpty)
        }
    }

    @Test func `a commit runs to its end even when its task is cancelled`() async throws {
        try await TestDatabase.with(isEmpty: true, connections: 1) { database in
            try await database.admin.script("create table t (a int)")
            // Unstructured, so that it can be cancelled from within, after the last statement of its work.
            let task = Task {
                try await database.pool.withTransaction { connection in
                    _ = try await connection.query("insert into t values (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            try await task.value
            #expect(try await database.pool.query("select 1 from t").count == 1)
        }
    }

    /// The first host accepts the connection and stays silent, as behind a firewall that drops packets.
    @Test func `a silent first host costs one connect timeout before the next host is tried`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let silent = try SilentListener()
            let url = database.url.replacing("host=", with: "host=127.0.0.1,") + "&port=\(silent.port),5432"
            var configuration = try PostgresConfiguration(url: url)
            configuration.connectTimeout = .seconds(4)
            let start = ContinuousClock.now
            let connection = try await PostgresConnection.connect(configuration)
            #expect(try await connection.query("select 1").count == 1)
            #expect(ContinuousClock.now - start >= .seconds(4), "the silent one was asked first")
            await connection.close()
        }
    }

    @Test func `10,000 queries of 200 tasks share four connections and return each of them`() async throws {
        try await TestDatabase.with(isEmpty: true, connections: 4) { database in
            let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
                for task in 0..<200 {
                    group.addTask {
                        var sum: Int64 = 0
                        for number in 0..<50 {
                            let rows = try await database.pool.query("select \(Int64(task * 50 + number))")
                            for row in rows { sum += try row.decode(Int64.self) }
                        }
                        return sum
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 49_995_000)
            #expect(database.pool.counts.leased == 0)
        }
    }

    @Test func `an error in one group of a pipeline does not affect the other groups`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            try await database.admin.script("create table t (a int primary key)")
            for _ in 0..<3 {
                let outcomes = try await database.admin.pipeline([
                    ["insert into t values (1)"],
                    ["insert into t values (2)", "select 1 / 0", "insert into t values (3)"],
                    ["select count(*) from t"],
                ])
                #expect((try? outcomes[0][0].get()) != nil)
                #expect(throws: PostgresError.self) { try outcomes[1][1].get() }
                #expect(throws: PostgresError.self) { try outcomes[1][2].get() }
                let row = try outcomes[2][0].get().first
                #expect(try #require(row).decode(Int64.self) == 1)
                _ = try await database.admin.query("delete from t")
            }
        }
    }

    @Test func `statements and results larger than the socket buffers pass both ways`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let large = String(repeating: "x", count: 8 << 20)
            let outcomes = try await database.admin.pipeline(
                (0..<4).map { _ in ["select \(large) || \(large)"] })
            for outcome in outcomes {
                let row = try outcome[0].get().first
                #expect(try #require(row).decode(String.self).utf8.count == 16 << 20)
            }
        }
    }

    @Test func `a listener that has caught up receives the next notification`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let listener = PostgresListener(try PostgresConfiguration(url: database.url), channels: ["news"])
            let (heard, hear) = AsyncStream<PostgresHearing>.makeStream()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await listener.run { hear.yield($0) } }
                var all: [PostgresHearing] = []
                for await hearing in heard.prefix(2) {
                    all.append(hearing)
                    if hearing == .caughtUp { _ = try? await database.admin.query("select pg_notify('news', 'hello')") }
                }
                #expect(all.last == .notification(PostgresNotification(channel: "news", payload: "hello")))
                group.cancelAll()
            }
        }
    }

    @Test func `a host name that does not resolve is skipped and the other hosts remain`() async throws {
        var configuration = try PostgresConfiguration(
            url: "postgresql://a.invalid,%2Ftmp%2Fnowhere:5433/db?target_session_attrs=prefer-standby")
        configuration.resolve = { (_, _) async throws(PostgresError) in
            throw PostgresError(.connectFailed, "no such host")
        }
        let targets = try await Attempts.all(configuration)
        #expect(targets.map(\.session) == ["standby", "any"])
        #expect(targets.allSatisfy { $0.host == "/tmp/nowhere" })
    }
}
