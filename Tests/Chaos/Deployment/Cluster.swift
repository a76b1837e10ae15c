// SPDX-License-Identifier: Apache-2.0
// A primary and a synchronous standby that change places, as a fail-over manager lets them, step by step.

import Foundation
import Postgres
import PrivatePostgres

/// A PostgreSQL primary and its standby. Each lives in a place with a socket of its own; a fail-over swaps their roles.
struct Cluster {
    private var primary: PrivatePostgres
    private var standby: PrivatePostgres
    /// Fail-overs in which the primary crashed for good, and those in which it was stopped in good order.
    private(set) var failovers = 0
    private(set) var switchovers = 0
    /// A link to the primary's socket folder. Programs that know one address only go this way.
    let link: String
    let database = "dialtone"

    static func start(in folder: URL) async throws -> Cluster {
        let primary = try await PrivatePostgres.start(
            in: folder.appendingPathComponent("pg-0"), settings: Self.settings)
        primary.stopAtExit(removingData: true)
        try await Self.sql("create database dialtone", on: primary)
        let standby = try await primary.standby(in: folder.appendingPathComponent("pg-1"))
        standby.stopAtExit(removingData: true)
        let cluster = Cluster(primary: primary, standby: standby)
        try cluster.lead(to: primary)
        try await cluster.waitForStandby()
        return cluster
    }

    private static let settings = ["max_connections": "200", "max_wal_senders": "8", "hot_standby": "on"]

    private init(primary: PrivatePostgres, standby: PrivatePostgres) {
        self.primary = primary
        self.standby = standby
        // A socket's path may have 107 bytes, so the link is in a folder with a short name. The folder goes at exit.
        self.link = "\(primary.socketFolder)/primary"
    }

    /// The socket folders of both servers, in an order that no fail-over changes.
    var places: [String] { [self.primary, self.standby].map(\.socketFolder).sorted() }

    /// The primary's socket folder.
    var primaryPlace: String { self.primary.socketFolder }

    /// Names both sockets. The program has to find the server that takes writes.
    var url: String {
        "postgresql:///\(self.database)?host=\(self.places.joined(separator: ","))&user=postgres"
    }

    /// Leads to the primary alone, also while it takes no writes.
    var primaryURL: String { "\(self.primary.url(database: self.database))&target_session_attrs=any" }

    /// Runs statements on the primary.
    func script(_ text: String) async throws { try await Self.sql(text, on: self.primary) }

    // MARK: A change of the primary

    /// Crashes the primary and starts it again.
    func crash() async throws {
        try await self.primary.stop(mode: "immediate")
        try await self.primary.startAgain()
    }

    /// Ends the primary for good and lets the standby take over alone. The primary is fenced: it is stopped before
    /// anything else happens. A fresh copy then comes back at its address, as the standby of the new primary.
    mutating func failOver() async throws {
        let (old, new) = (self.primary, self.standby)
        try await old.stop(mode: "immediate")
        try await Self.promote(new)
        try self.lead(to: new)
        try FileManager.default.removeItem(at: old.folder.appendingPathComponent("data"))
        let follower = try await new.standby(in: old.folder, at: old.socketFolder)
        self.primary = new
        self.standby = follower
        self.failovers += 1
        try await self.waitForStandby()
    }

    /// Stops the primary in good order and promotes the standby. The old primary comes back with its own data, as the
    /// standby of the new one. With `isLate` the link leads to it for two more seconds.
    mutating func switchOver(linkIsLate isLate: Bool) async throws {
        // Without it the standby might lack the last records, and the old primary could not follow.
        try await self.waitForStandby()
        let (old, new) = (self.primary, self.standby)
        try await Self.sql(
            "alter system set primary_conninfo = 'host=\(new.socketFolder) user=postgres'", on: old)
        // The server itself writes the file, because the folder belongs to the server's user.
        try await Self.sql("copy (select 1 where false) to '\(old.folder.path)/data/standby.signal'", on: old)
        try await old.stop()
        try await Self.promote(new)
        if !isLate { try self.lead(to: new) }
        try await old.startAgain()
        self.primary = new
        self.standby = old
        self.switchovers += 1
        if isLate {
            try await Task.sleep(for: .seconds(2))
            try self.lead(to: new)
        }
        try await self.waitForStandby()
    }

    /// Promotes a standby. It commits alone until it has a standby of its own.
    private static func promote(_ server: PrivatePostgres) async throws {
        try await server.promote()
        try await Self.sql("alter system set synchronous_standby_names = ''", on: server)
        try await Self.sql("select pg_reload_conf()", on: server)
    }

    /// Lets the link lead to this server. At every moment there is a link.
    private func lead(to server: PrivatePostgres) throws {
        let next = "\(self.link).next"
        try? FileManager.default.removeItem(atPath: next)
        try FileManager.default.createSymbolicLink(atPath: next, withDestinationPath: server.socketFolder)
        guard rename(next, self.link) == 0 else { throw ChaosError.notReady("the link to the primary") }
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

    // MARK: Sessions

    /// Who is told that nothing may be written.
    enum ReadOnlySpell: String, CaseIterable {
        /// All sessions, at once. They take writes again when the spell is over.
        case allSessions = "all sessions are"
        /// Sessions that begin in the spell; all others are ended. Such a session stays read-only to its own end.
        case newSessions = "new sessions are and stay"
    }

    /// Lets the primary refuse writes for a while.
    func refuseWrites(_ spell: ReadOnlySpell, for time: Duration) async throws {
        switch spell {
        case .allSessions:
            try await self.script("alter system set default_transaction_read_only = on")
            try await self.script("select pg_reload_conf()")
            try await Task.sleep(for: time)
            try await self.script("alter system reset default_transaction_read_only")
            try await self.script("select pg_reload_conf()")
        case .newSessions:
            try await self.script("alter database \(self.database) set default_transaction_read_only = on")
            try await self.endSessions(share: 1)
            try await Task.sleep(for: time)
            try await self.script("alter database \(self.database) reset default_transaction_read_only")
        }
    }

    /// Ends about this share of the database's sessions on the primary.
    func endSessions(share: Double) async throws {
        try await self.script(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = '\(self.database)' and pid <> pg_backend_pid() and random() < \(share)
            """)
    }

    /// The statement also runs on a server that takes no writes: it may be the one that ends this.
    private static func sql(_ text: String, on server: PrivatePostgres) async throws {
        let url = "\(server.url())&target_session_attrs=any"
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        try await connection.script(text)
        await connection.close()
    }
}
