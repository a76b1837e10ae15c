// SPDX-License-Identifier: Apache-2.0
// The network between one process and the database. On command the primary becomes a black hole to this process.

import TestSupport

/// A relay to each server of the cluster, and to the pooler if this process has one.
struct DatabaseNetwork: Sendable {
    /// The process whose network this is.
    let process: String
    private let database: String
    private let servers: [(place: String, relay: Relay)]
    private let pooler: Relay?

    init(of process: String, to cluster: Cluster, through pooler: Pooler?) throws {
        self.process = process
        self.database = cluster.database
        self.servers = try cluster.places.map { place in
            (place: place, relay: Relay(port: try FreePort.find(), to: .socket("\(place)/.s.PGSQL.5432")))
        }
        self.pooler = try pooler.map { Relay(port: try FreePort.find(), to: .port($0.port)) }
    }

    var isPooled: Bool { self.pooler != nil }

    var relays: [Relay] { self.servers.map { $0.relay } + [self.pooler].compactMap { $0 } }

    /// What the process is told of its database. Nothing says that it must look for the server that takes writes.
    var environment: [String: String] {
        guard let pooler else { return ["DATABASE_URL": self.url(for: "postgres", at: self.servers.map { $0.relay })] }
        return [
            "DATABASE_URL": self.url(for: Pooler.login, at: [pooler]),
            "DATABASE_DIRECT_URL": self.url(for: Pooler.login, at: self.servers.map { $0.relay }),
            "DIALTONE_POOLER": "transaction",
        ]
    }

    private func url(for login: String, at relays: [Relay]) -> String {
        let hosts = relays.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return "postgresql://\(login)@\(hosts)/\(self.database)"
    }

    /// Makes the server at this place a black hole for a while, the way through the pooler included: it takes
    /// connections and bytes, and nothing ever comes back. Then all bytes arrive, or with `isCut` their connections die.
    func lose(_ place: String, for time: Duration, thenCut isCut: Bool) {
        for server in self.servers where server.place == place { server.relay.turn(.holds, for: time, thenCut: isCut) }
        self.pooler?.turn(.holds, for: time, thenCut: isCut)
    }
}
