// SPDX-License-Identifier: Apache-2.0
// Of several hosts the one that worked last is tried first, and one that fell silent last.

import Foundation
import TestSupport
import Testing

@testable import Postgres

@Suite struct HostMemoryTests {
    private static func target(_ host: String, _ session: String = "read-write") -> PostgresConfiguration.Target {
        .init(host: host, address: nil, port: "5432", session: session)
    }

    @Test func `the host that worked last comes first and a silent one last`() async throws {
        let configuration = try PostgresConfiguration(url: "host=/a,/b,/c")
        let memory = configuration.memory
        let all = ["/a", "/b", "/c"].map { Self.target($0) }
        #expect(try await Self.hosts(configuration) == ["/a", "/b", "/c"])
        memory.works(all[1])
        #expect(try await Self.hosts(configuration) == ["/b", "/a", "/c"])
        memory.isSilent(all[1])
        #expect(try await Self.hosts(configuration) == ["/a", "/c", "/b"])
        memory.works(all[2])
        #expect(try await Self.hosts(configuration) == ["/c", "/a", "/b"])
        memory.works(all[1])
        #expect(try await Self.hosts(configuration) == ["/b", "/a", "/c"], "it answers again")
    }

    @Test func `a second pass over the hosts stays behind the first`() async throws {
        let configuration = try PostgresConfiguration(url: "host=/a,/b target_session_attrs=prefer-standby")
        configuration.memory.works(Self.target("/b", "any"))
        let targets = try await Attempts.all(configuration)
        #expect(targets.map(\.session) == ["standby", "standby", "any", "any"])
        #expect(targets.map(\.host) == ["/b", "/a", "/b", "/a"])
    }

    private static func hosts(_ configuration: PostgresConfiguration) async throws -> [String?] {
        try await Attempts.all(configuration).map(\.host)
    }

    /// The first host accepts the connection and stays silent. Copies of a configuration share what they know.
    @Test func `only the first connection waits for a silent host`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let silent = try SilentListener()
            let url = database.url.replacing("host=", with: "host=127.0.0.1,") + "&port=\(silent.port),5432"
            var configuration = try PostgresConfiguration(url: url)
            configuration.connectTimeout = .seconds(4)
            let first = try await PostgresConnection.connect(configuration)
            await first.close()
            let start = ContinuousClock.now
            configuration.applicationName = "a copy"
            let second = try await PostgresConnection.connect(configuration)
            #expect(ContinuousClock.now - start < .seconds(4))
            await second.close()
        }
    }

    @Test func `a session must take writes unless the connection string says otherwise`() async throws {
        for (url, sessions) in [
            ("host=/a", ["read-write"]), ("host=/a target_session_attrs=any", ["any"]),
            ("host=/a target_session_attrs=prefer-standby", ["standby", "any"]),
        ] {
            let targets = try await Attempts.all(PostgresConfiguration(url: url))
            #expect(targets.map(\.session) == sessions)
        }
    }

    /// A pooler that met its server in a read-only spell says so for as long as it lives.
    @Test func `what a pooler says of its server is no reason to stay away from the only host`() async throws {
        for (url, sessions) in [
            ("host=/a", ["any"]), ("host=/a,/b", ["read-write", "read-write", "any", "any"]),
            ("host=/a target_session_attrs=read-write", ["read-write"]),
        ] {
            var configuration = try PostgresConfiguration(url: url)
            configuration.isPooled = true
            #expect(configuration.sessions == sessions, "\(url)")
        }
    }
}
