// SPDX-License-Identifier: Apache-2.0
// The database restarts, or is read-only for a while: senders lose nothing, and soon are served again.

import Composition
import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite struct DatabaseFaultTests {
    @Test func `deliveries are taken again soon after a restart, and from then on none is refused`() async throws {
        try await RestorePlace.with { place in
            try await place.withNode { node in
                #expect(try await Self.send(1...20, to: node) == Array(repeating: 202, count: 20))
                try await place.server.stop()
                #expect(try await node.send(.created, 21) == 503)
                try await place.server.startAgain()
                // On a busy machine the first attempt to connect may come too late for the first delivery.
                let start = ContinuousClock.now
                while try await node.send(.created, 21) != 202 {
                    try #require(ContinuousClock.now - start < .seconds(10), "the server is back and not used")
                }
                #expect(try await Self.send(22...40, to: node) == Array(repeating: 202, count: 19))
            }
        }
    }

    /// Nothing is sent while the server is away, so every pooled connection is dead when the first delivery comes.
    @Test func `an idle service takes the first delivery after a restart`() async throws {
        try await RestorePlace.with { place in
            try await place.withNode { node in
                #expect(try await Self.send(1...20, to: node) == Array(repeating: 202, count: 20))
                try await place.server.stop()
                try await place.server.startAgain()
                for number in 21...26 { #expect(try await node.send(.created, number) == 202) }
            }
        }
    }

    @Test func `sign-ups are taken again soon after a read-only spell`() async throws {
        try await RestorePlace.with { place in
            try await place.withNode { node in
                try await node.signUp(1...5)
                try await node.admin.script("alter system set default_transaction_read_only = on")
                try await node.admin.script("select pg_reload_conf()")
                // New sessions are born read-only.
                try await node.admin.script(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """)
                var number = 6
                while try await node.send(.created, number) == 202 {
                    number += 1
                    try #require(number < 1000, "the server never became read-only")
                }
                try await node.admin.script("alter system reset default_transaction_read_only")
                try await node.admin.script("select pg_reload_conf()")
                let end = ContinuousClock.now
                while try await node.send(.created, number) != 202 {
                    try #require(ContinuousClock.now - end < .seconds(30), "every delivery is refused for ever")
                }
                #expect(ContinuousClock.now - end < .seconds(5))
            }
        }
    }

    /// Each delivery has its own user. Returns the statuses.
    private static func send(_ numbers: ClosedRange<Int>, to node: RestorePlace.RunningNode) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in numbers { group.addTask { try await node.send(.created, number) } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
    }

    @Test func `the service works read committed whatever the database's default is`() async throws {
        try await Story.with { story in
            try await story.database.admin.script(
                """
                do $$ begin
                execute format('alter database %I set default_transaction_isolation = serializable', current_database());
                end $$
                """)
            let connection = try await PostgresConnection.connect(SharedParts.database(story.settings))
            let row = try await connection.query("select current_setting('transaction_isolation')").first
            #expect(try #require(row).decode(String.self) == "read committed")
            await connection.close()
        }
    }
}
