// SPDX-License-Identifier: Apache-2.0
// A PgBouncer in transaction mode between one process and the primary, as people put one before their database.

import Foundation
import TestSupport

/// The pooler's program and settings. It is one of the `Processes`, so it starts again when it was killed.
struct Pooler: Sendable {
    /// The login of all its sessions. It has the service's rights and no more.
    static let login = "dialtone_pooled"

    let program: URL
    let settings: URL
    let port: Int

    /// Writes the settings into this folder. Returns nil if this machine has no PgBouncer.
    static func make(before cluster: Cluster, in folder: URL) throws -> Pooler? {
        guard let program = Self.find() else { return nil }
        let settings = folder.appendingPathComponent("pgbouncer.ini")
        let pooler = Pooler(program: program, settings: settings, port: try FreePort.find())
        try pooler.text(before: cluster).write(to: settings, atomically: true, encoding: .utf8)
        return pooler
    }

    /// Debian puts the program into a folder that is not in every user's `PATH`.
    private static func find() -> URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (["/usr/sbin"] + path.split(separator: ":").map(String.init))
            .map { URL(fileURLWithPath: $0).appendingPathComponent("pgbouncer") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// A session to a server that is no longer the primary lasts three seconds. A server that is away is tried again
    /// after one second.
    private func text(before cluster: Cluster) throws -> String {
        var lines = [
            "[databases]", "* = host=\(cluster.link) port=5432 user=\(Self.login)", "[pgbouncer]",
            "listen_addr = 127.0.0.1", "listen_port = \(self.port)", "unix_socket_dir =", "auth_type = any",
            "pool_mode = transaction", "default_pool_size = 6", "max_client_conn = 200", "server_lifetime = 3",
            "server_login_retry = 1", "query_wait_timeout = 10", "log_connections = 0", "log_disconnections = 0",
            "log_stats = 0",
        ]
        // PgBouncer refuses to run as root. The socket's folder is open to its owner only.
        if geteuid() == 0 {
            let owner = try FileManager.default.attributesOfItem(atPath: cluster.primaryPlace)
            lines.append("user = \(owner[.ownerAccountName] as? String ?? "postgres")")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
