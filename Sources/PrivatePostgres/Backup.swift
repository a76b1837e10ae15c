// SPDX-License-Identifier: Apache-2.0
// What can be brought back later: the folder of a stopped server, as a disk's snapshot has it, and a dump of one
// database.

package import Foundation

extension PrivatePostgres {
    private var data: String { self.folder.appendingPathComponent("data").path }

    /// Copies the data of the stopped server.
    @concurrent
    package func takeSnapshot(to folder: URL) async throws {
        try Owner.current().run("/bin/cp", ["-a", self.data, folder.path])
    }

    /// Puts the stopped server back to where it was then.
    @concurrent
    package func returnToSnapshot(in folder: URL) async throws {
        try FileManager.default.removeItem(atPath: self.data)
        try Owner.current().run("/bin/cp", ["-a", folder.path, self.data])
    }

    /// Writes a database as SQL. Roles are the server's, not the database's: the server it is read back on has them.
    @concurrent
    package func dump(_ database: String, to file: URL) async throws {
        try Owner.current().run(
            self.binaries.appendingPathComponent("pg_dump").path,
            ["-h", self.socketFolder, "-U", "postgres", "-d", database, "-f", file.path])
    }

    /// Reads it back into an empty database.
    @concurrent
    package func load(_ file: URL, into database: String) async throws {
        try Owner.current().run(
            self.binaries.appendingPathComponent("psql").path,
            [
                "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.socketFolder, "-U", "postgres", "-d", database, "-f",
                file.path,
            ])
    }
}
