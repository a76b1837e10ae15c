// SPDX-License-Identifier: Apache-2.0
// Copies to go back to: the folder of a stopped server, like a disk's snapshot, and a dump of one database.

package import Foundation

extension PrivatePostgres {
    private var data: String { self.folder.appendingPathComponent("data").path }

    /// Copies the data of the stopped server.
    @concurrent
    package func takeSnapshot(to folder: URL) async throws {
        try await Owner.current().run("/bin/cp", ["-a", self.data, folder.path])
    }

    /// Puts the data of a snapshot back in place of the stopped server's.
    @concurrent
    package func returnToSnapshot(in folder: URL) async throws {
        try FileManager.default.removeItem(atPath: self.data)
        try await Owner.current().run("/bin/cp", ["-a", folder.path, self.data])
    }

    /// Writes a database as SQL. Roles belong to the server, so they are left out: the server that loads the file must
    /// have them.
    @concurrent
    package func dump(_ database: String, to file: URL) async throws {
        try await Owner.current().run(
            self.binaries.appendingPathComponent("pg_dump").path,
            ["-h", self.socketFolder, "-U", "postgres", "-d", database, "-f", file.path])
    }

    /// Reads a dump back into an empty database.
    @concurrent
    package func load(_ file: URL, into database: String) async throws {
        try await Owner.current().run(
            self.binaries.appendingPathComponent("psql").path,
            [
                "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.socketFolder, "-U", "postgres", "-d", database, "-f",
                file.path,
            ])
    }
}
