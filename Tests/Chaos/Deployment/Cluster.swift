// SPDX-License-Identifier: Apache-2.0
// A primary and a synchronous standby that change places, as a fail-over manager lets them, step by step.

import Foundation
import Postgres
import PrivatePostgres

/// A PostgreSQL primary and its standby. Each lives in a place with a socket of its own; a fail-over swaps their roles.
struct Cluster {
    private let folder: URL
    private(set) var primary: PrivatePostgres
    private var standby: PrivatePostgres
    private(set) var failovers = 0
    let database = "dialtone"

    static func start(in folder: URL) async throws -> Cluster {
        let primary = try await PrivatePostgres.start(
            in: folder.appendingPathComponent("pg-0"), settings: Self.settings)
        primary.stopAtExit(removingData: true)
        try await Self.sql("create database dialtone", on: primary)
        let standby = try await primary.standby(in: folder.appendingPathComponent("pg-1"))
        standby.stopAtExit(removingData: true)
        let cluster = Cluster(folder: folder, primary: primary, standby: standby)
        try await cluster.waitForStandby()
        return cluster
    }

    private static let settings = ["max_connections": "200", "max_wal_senders": "8", "hot_standby": "on"]

    private init(folder: URL, primary: PrivatePostgres, standby: PrivatePostgres) {
        self.folder = folder
        self.primary = primary
        self.standby = standby
    }

    /// Names both sockets. libpq connects to the server that takes writes.
    var url: String {
        let hosts = [self.primary, self.standby].map(\.socketFolder).sorted().joined(separator: ",")
        return "postgresql:///\(self.database)?host=\(hosts)&user=postgres&target_session_attrs=read-write"
    }

    /// Crashes the primary and starts it again.
    func crash() async throws {
        try await self.primary.stop(mode: "immediate")
        try await self.primary.startAgain()
    }

    /// Ends the primary for good and lets the standby take over alone. The primary is fenced: it is stopped before
    /// anything else happens. A fresh copy then comes back at its address, as the standby of the new primary.
    mutating func failOver() async throws {
        try await self.primary.stop(mode: "immediate")
        try await self.standby.promote()
        try await Self.sql("alter system set synchronous_standby_names = ''", on: self.standby)
        try await Self.sql("select pg_reload_conf()", on: self.standby)
        let new = self.standby
        let old = self.primary
        try FileManager.default.removeItem(at: old.folder.appendingPathComponent("data"))
        let follower = try await new.standby(in: old.folder, at: old.socketFolder)
        self.primary = new
        self.standby = follower
        self.failovers += 1
        try await self.waitForStandby()
    }

    /// Waits until the standby follows. From then on every commit waits for the standby, so nothing that was
    /// acknowledged is lost with the primary.
    private func waitForStandby() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: self.primary.url()))
            let rows = try await connection.query("select 1 from pg_stat_replication where state = 'streaming'")
            await connection.close()
            if !rows.isEmpty { break }
            guard ContinuousClock.now < deadline else { throw ChaosError.late("the standby") }
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Self.sql("alter system set synchronous_standby_names = '*'", on: self.primary)
        try await Self.sql("select pg_reload_conf()", on: self.primary)
    }

    private static func sql(_ text: String, on server: PrivatePostgres) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await connection.script(text)
        await connection.close()
    }
}
