// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL of our own in a folder: for the demo and the tests, never in anybody's way.

package import Foundation
import Glibc

/// Why there is no server. Each says what to do.
package enum PrivatePostgresError: Error, CustomStringConvertible {
    case binariesNotFound
    case commandFailed(command: String, output: String)
    case noOtherUser
    /// A server runs in this folder; its process.
    case inUse(folder: String, pid: Int32)

    package var description: String {
        switch self {
        case .binariesNotFound:
            "no PostgreSQL server programs found; install them (Debian: apt-get install postgresql) "
                + "or set DIALTONE_PG_BINDIR to the folder that holds initdb"
        case .commandFailed(let command, let output): "\(command) failed: \(output)"
        case .inUse(let folder, let pid):
            "a PostgreSQL (process \(pid)) runs in \(folder) already; end it, or give another folder"
        case .noOtherUser: "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as"
        }
    }
}

/// A running server: its data in `folder`, its socket in a folder with a short name, no TCP.
package struct PrivatePostgres: Sendable {
    package let folder: URL
    /// The folder asked for was out of the server's reach; this one goes when the server does.
    private let isTemporary: Bool
    let binaries: URL
    /// Where its Unix socket is.
    package let socketFolder: String
    private let settings: [String: String]

    /// For `DATABASE_URL`: the superuser of this server, by its Unix socket.
    package func url(database: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(self.socketFolder)&user=postgres&connect_timeout=30"
    }

    /// Starts the server in `folder`, making the cluster at first. Throws when a server runs there. As root, with
    /// a folder that no other user can reach, the data goes to a temporary folder.
    @concurrent
    package static func start(in folder: URL, settings: [String: String] = [:]) async throws -> PrivatePostgres {
        let binaries = try ServerBinaries.find()
        let owner = try Owner.current()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let isTemporary = !owner.canReach(folder.path)
        let folder =
            isTemporary ? URL(fileURLWithPath: try owner.temporaryFolder(prefix: "dialtone-data-")) : folder
        let data = folder.appendingPathComponent("data")
        if !isTemporary { try owner.own(folder.path) }
        // A socket's path may have 107 bytes (unix(7)), so it does not go into the folder.
        let socketFolder = try owner.temporaryFolder(prefix: "dialtone-pg-")
        var all = ["listen_addresses": "", "unix_socket_directories": socketFolder, "logging_collector": "off"]
        all.merge(settings) { $1 }
        let server = PrivatePostgres(
            folder: folder, isTemporary: isTemporary, binaries: binaries, socketFolder: socketFolder, settings: all)
        // Whoever was killed has left the file; after a reboot it may name anybody's process. A server that does run
        // here is somebody's: the guard stops ours when we end.
        let left = data.appendingPathComponent("postmaster.pid")
        if FileManager.default.fileExists(atPath: left.path) {
            if let pid = Self.server(of: data, in: left) {
                server.removeSocket()
                throw PrivatePostgresError.inUse(folder: data.path, pid: pid)
            }
            try? FileManager.default.removeItem(at: left)
        }
        if !FileManager.default.fileExists(atPath: data.appendingPathComponent("PG_VERSION").path) {
            try owner.run(
                binaries.appendingPathComponent("initdb").path,
                ["-D", data.path, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        }
        try await server.startAgain()
        return server
    }

    /// The process named in the first line of postmaster.pid, if it runs in the data folder, as a postmaster does.
    private static func server(of data: URL, in file: URL) -> Int32? {
        guard let line = try? String(contentsOf: file, encoding: .utf8).split(separator: "\n").first,
            let pid = Int32(line),
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd"),
            URL(fileURLWithPath: folder).standardizedFileURL.path == data.resolvingSymlinksInPath().path
        else { return nil }
        return pid
    }

    /// A streaming standby of this server, from a copy made now; at `socketFolder` if that is given.
    @concurrent
    package func standby(in folder: URL, at socketFolder: String? = nil) async throws -> PrivatePostgres {
        let owner = try Owner.current()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try owner.own(folder.path)
        let place = try socketFolder ?? owner.temporaryFolder(prefix: "dialtone-pg-")
        var settings = self.settings
        settings["unix_socket_directories"] = place
        let server = PrivatePostgres(
            folder: folder, isTemporary: false, binaries: self.binaries, socketFolder: place, settings: settings)
        try owner.run(
            self.binaries.appendingPathComponent("pg_basebackup").path,
            [
                "-h", self.socketFolder, "-U", "postgres", "-D", folder.appendingPathComponent("data").path, "-R",
                "-X", "stream", "--checkpoint=fast", "--no-sync",
            ])
        try await server.startAgain()
        return server
    }

    /// A standby becomes a primary.
    @concurrent
    package func promote() async throws {
        let data = self.folder.appendingPathComponent("data").path
        try Owner.current().run(
            self.binaries.appendingPathComponent("pg_ctl").path, ["promote", "-w", "-t", "60", "-D", data])
    }

    /// Starts a server that was stopped, at the same address.
    @concurrent
    package func startAgain() async throws {
        let options = self.settings.sorted { $0.key < $1.key }.map { "-c \($0.key)='\($0.value)'" }
        let log = self.folder.appendingPathComponent("server.log").path
        try Owner.current().run(
            self.binaries.appendingPathComponent("pg_ctl").path,
            [
                "start", "-w", "-t", "60", "-D", self.folder.appendingPathComponent("data").path, "-l", log,
                "-o", options.joined(separator: " "),
            ])
    }

    /// Stops the server: `fast` ends sessions and checkpoints, `immediate` is a crash.
    @concurrent
    package func stop(mode: String = "fast") async throws {
        let data = self.folder.appendingPathComponent("data").path
        try Owner.current().run(
            self.binaries.appendingPathComponent("pg_ctl").path, ["stop", "-w", "-t", "60", "-m", mode, "-D", data])
    }

    /// Stops it without ceremony when the process ends, and removes its socket, and with `removingData` everything; see
    /// `ServerGuard`.
    package func stopAtExit(removingData: Bool = false) {
        let removesData = removingData || self.isTemporary
        ServerGuard.watch(self.folder, removing: [self.socketFolder] + (removesData ? [self.folder.path] : []))
    }

    /// Removes the socket's folder and, if wanted, the data.
    package func remove() {
        try? FileManager.default.removeItem(atPath: self.socketFolder)
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// Removes what is not asked to stay.
    package func removeSocket() {
        try? FileManager.default.removeItem(atPath: self.socketFolder)
        if self.isTemporary { try? FileManager.default.removeItem(at: self.folder) }
    }
}

/// Where `initdb` and `pg_ctl` are.
private enum ServerBinaries {
    static func find() throws -> URL {
        var candidates: [String] = []
        if let named = ProcessInfo.processInfo.environment["DIALTONE_PG_BINDIR"] { candidates.append(named) }
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        candidates += versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
        candidates += (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for candidate in candidates {
            let folder = URL(fileURLWithPath: candidate)
            if FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("initdb").path) {
                return folder
            }
        }
        throw PrivatePostgresError.binariesNotFound
    }
}
