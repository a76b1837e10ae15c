// SPDX-License-Identifier: Apache-2.0
// A primary and a synchronous standby that change places: what a fail-over manager does, step by step.

import Foundation
import Postgres
import PrivatePostgres

struct Cluster {
    private let folder: URL
    private(set) var primary: PrivatePostgres
    private var standby: PrivatePostgres
    private(set) var failovers = 0
    /// Sockets of both places; each server in turn lives in one of them.
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

    /// Both servers; whoever takes writes is the one.
    var url: String {
        let hosts = [self.primary, self.standby].map(\.socketFolder).sorted().joined(separator: ",")
        return "postgresql:///\(self.database)?host=\(hosts)&user=postgres&target_session_attrs=read-write"
    }

    func crash() async throws {
        try await self.primary.stop(mode: "immediate")
        try await self.primary.startAgain()
    }

    /// The primary is gone for good (fenced: stopped before anything else happens), the standby takes over alone, and
    /// the old one comes back as its standby from a fresh copy, at its old address.
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

    /// Commits wait for the standby from here on: nothing acknowledged is lost with the primary.
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

enum ChaosError: Error, CustomStringConvertible {
    case late(String)
    case notReady(String)

    var description: String {
        switch self {
        case .late(let what): "\(what) took too long"
        case .notReady(let what): "\(what) did not become ready"
        }
    }
}
