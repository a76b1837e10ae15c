// SPDX-License-Identifier: Apache-2.0
// Finds PostgreSQL's server programs on this machine and asks them for their version.

import Foundation

/// The folder of `initdb`, `pg_ctl` and `postgres`.
enum ServerBinaries {
    /// Returns the folder that `DIALTONE_PG_BINDIR` names. Without it, Debian's folders come first, from the newest
    /// version on, and then `PATH`.
    ///
    /// A wrong `DIALTONE_PG_BINDIR` throws. Another server in its place would look like the one that was asked for. A
    /// folder that `owner` cannot reach throws too.
    static func find(
        for owner: Owner, in environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> URL {
        let named = environment["DIALTONE_PG_BINDIR"] ?? ""
        guard let folder = named.isEmpty ? Self.usual(in: environment) : Self.folder(named) else {
            throw named.isEmpty
                ? PrivatePostgresError.binariesNotFound : PrivatePostgresError.binariesNotIn(folder: named)
        }
        guard owner.canReach(folder.appendingPathComponent("initdb").path) else {
            throw PrivatePostgresError.binariesOutOfReach(folder: folder.path, user: owner.other?.name ?? "")
        }
        return folder
    }

    private static func usual(in environment: [String: String]) -> URL? {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        var candidates = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
        candidates += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return candidates.lazy.compactMap { Self.folder($0) }.first
    }

    /// Returns the folder if it holds `initdb`.
    private static func folder(_ path: String) -> URL? {
        let folder = URL(fileURLWithPath: path)
        let isThere = FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("initdb").path)
        return isThere ? folder : nil
    }

    /// Returns the version, such as `15.14` or `19beta1`. The program prints `postgres (PostgreSQL) 15.14`, and on
    /// Debian more words after that.
    static func version(in folder: URL, as owner: Owner) async throws -> String {
        let command = folder.appendingPathComponent("postgres").path
        let printed = try await owner.run(command, ["--version"])
        let words = printed.split(whereSeparator: \.isWhitespace)
        guard words.count >= 3 else {
            throw PrivatePostgresError.commandFailed(command: "postgres --version", output: printed)
        }
        return String(words[2])
    }
}
