// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL server of our own in a folder, for the demo and the tests, that disturbs no other server.
//
// The data is in the folder, and the server listens at a Unix socket only, unless its settings say otherwise.
// `ServerBinaries` finds the programs. `Owner` runs them, as another user if we are root. `ServerGuard` stops the
// server when this process is gone. `Backup` copies the data, so that a test can go back to it.

package import Foundation

/// A running server: its data in `folder`, its socket in a folder with a short name, no TCP.
package struct PrivatePostgres: Sendable {
    package let folder: URL
    /// Whether `folder` is temporary, because the server could not reach the one asked for. It goes with the server.
    private let isTemporary: Bool
    /// The folder of the server's programs.
    package let binaries: URL
    /// The version of the server's programs, such as `15.14`.
    package let version: String
    /// The folder of the server's Unix socket.
    package let socketFolder: String
    private let settings: [String: String]

    /// Returns a `DATABASE_URL` for the superuser of this server, by its Unix socket.
    package func url(database: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(self.socketFolder)&user=postgres&connect_timeout=30"
    }

    /// Starts the server in `folder`, and makes the cluster first if there is none.
    ///
    /// Throws `.inUse` when a server runs there. If we are root and no other user can reach `folder`, the data goes to
    /// a temporary folder.
    @concurrent
    package static func start(in folder: URL, settings: [String: String] = [:]) async throws -> PrivatePostgres {
        let owner = try Owner.current()
        let binaries = try ServerBinaries.find(for: owner)
        let version = try await ServerBinaries.version(in: binaries, as: owner)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let isTemporary = !owner.canReach(folder.path)
        let folder =
            isTemporary ? URL(fileURLWithPath: try owner.temporaryFolder(prefix: "dialtone-data-")) : folder
        if !isTemporary { try owner.own(folder.path) }
        // A socket's path may have 107 bytes (unix(7)), so it does not go into the folder.
        let socketFolder = try owner.temporaryFolder(prefix: "dialtone-pg-")
        var all = ["listen_addresses": "", "unix_socket_directories": socketFolder, "logging_collector": "off"]
        all.merge(settings) { $1 }
        let server = PrivatePostgres(
            folder: folder, isTemporary: isTemporary, binaries: binaries, version: version,
            socketFolder: socketFolder, settings: all)
        try server.takeOverFolder()
        try await server.makeCluster(as: owner)
        try await server.startAgain()
        return server
    }

    /// Removes the postmaster.pid that a killed server has left. Throws `.inUse` when its server runs.
    ///
    /// After a reboot the file may name a process of any program. A server that does run here is not ours, because the
    /// guard stops ours when we end.
    private func takeOverFolder() throws {
        let data = self.folder.appendingPathComponent("data")
        let left = data.appendingPathComponent("postmaster.pid")
        guard FileManager.default.fileExists(atPath: left.path) else { return }
        if let pid = Self.server(of: data, in: left) {
            self.removeSocket()
            throw PrivatePostgresError.inUse(folder: data.path, pid: pid)
        }
        try? FileManager.default.removeItem(at: left)
    }

    /// Makes the cluster if the folder has none.
    ///
    /// The socket lets the superuser in without a password, because only its folder's owner reaches it. By TCP nobody
    /// comes in, also not when settings let the server listen: every user of the machine reaches a port. A test that
    /// needs TCP brings an `hba_file` of its own, with a password.
    private func makeCluster(as owner: Owner) async throws {
        let data = self.folder.appendingPathComponent("data")
        guard !FileManager.default.fileExists(atPath: data.appendingPathComponent("PG_VERSION").path) else { return }
        try await owner.run(
            self.binaries.appendingPathComponent("initdb").path,
            [
                "-D", data.path, "-U", "postgres", "--auth-local=trust", "--auth-host=reject", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync",
            ])
    }

    /// Returns the process in the first line of postmaster.pid, if it runs in the data folder, as a postmaster does.
    private static func server(of data: URL, in file: URL) -> Int32? {
        guard let line = try? String(contentsOf: file, encoding: .utf8).split(separator: "\n").first,
            let pid = Int32(line),
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd"),
            URL(fileURLWithPath: folder).standardizedFileURL.path == data.resolvingSymlinksInPath().path
        else { return nil }
        return pid
    }

    /// Starts a streaming standby of this server from a copy made now.
    ///
    /// Its socket is in `socketFolder`, or in a new folder when that is nil.
    @concurrent
    package func standby(in folder: URL, at socketFolder: String? = nil) async throws -> PrivatePostgres {
        let owner = try Owner.current()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try owner.own(folder.path)
        let place = try socketFolder ?? owner.temporaryFolder(prefix: "dialtone-pg-")
        var settings = self.settings
        settings["unix_socket_directories"] = place
        let server = PrivatePostgres(
            folder: folder, isTemporary: false, binaries: self.binaries, version: self.version, socketFolder: place,
            settings: settings)
        try await owner.run(
            self.binaries.appendingPathComponent("pg_basebackup").path,
            [
                "-h", self.socketFolder, "-U", "postgres", "-D", folder.appendingPathComponent("data").path, "-R",
                "-X", "stream", "--checkpoint=fast", "--no-sync",
            ])
        try await server.startAgain()
        return server
    }

    /// Makes a standby the primary.
    @concurrent
    package func promote() async throws {
        let data = self.folder.appendingPathComponent("data").path
        try await Owner.current().run(
            self.binaries.appendingPathComponent("pg_ctl").path, ["promote", "-w", "-t", "60", "-D", data])
    }

    /// Starts a server that was stopped, at the same address.
    @concurrent
    package func startAgain() async throws {
        let options = self.settings.sorted { $0.key < $1.key }.map { "-c \($0.key)='\($0.value)'" }
        let log = self.folder.appendingPathComponent("server.log").path
        try await Owner.current().run(
            self.binaries.appendingPathComponent("pg_ctl").path,
            [
                "start", "-w", "-t", "60", "-D", self.folder.appendingPathComponent("data").path, "-l", log,
                "-o", options.joined(separator: " "),
            ])
    }

    /// Stops the server. `fast` ends the sessions and writes a checkpoint; `immediate` is a crash.
    @concurrent
    package func stop(mode: String = "fast") async throws {
        let data = self.folder.appendingPathComponent("data").path
        try await Owner.current().run(
            self.binaries.appendingPathComponent("pg_ctl").path, ["stop", "-w", "-t", "60", "-m", mode, "-D", data])
    }

    /// Lets `ServerGuard` stop the server and remove its socket when this process ends. With `removingData` it removes
    /// the data too.
    package func stopAtExit(removingData: Bool = false) {
        let removesData = removingData || self.isTemporary
        ServerGuard.watch(self.folder, removing: [self.socketFolder] + (removesData ? [self.folder.path] : []))
    }

    /// Removes the socket's folder and the data.
    package func remove() {
        try? FileManager.default.removeItem(atPath: self.socketFolder)
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// Removes the socket's folder, and the data if its folder is temporary.
    package func removeSocket() {
        try? FileManager.default.removeItem(atPath: self.socketFolder)
        if self.isTemporary { try? FileManager.default.removeItem(at: self.folder) }
    }
}
