// SPDX-License-Identifier: Apache-2.0
// Finds PostgreSQL's server programs on this machine.

import Foundation

/// The folder of `initdb` and `pg_ctl`.
enum ServerBinaries {
    /// Returns the folder that holds `initdb`. `DIALTONE_PG_BINDIR` comes first, then Debian's folders from the newest
    /// version on, then `PATH`.
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
