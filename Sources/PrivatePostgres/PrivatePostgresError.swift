// SPDX-License-Identifier: Apache-2.0
// The reasons why a private server does not run, each with a text that helps the person who started it.

/// Why there is no server.
package enum PrivatePostgresError: Error, CustomStringConvertible {
    case binariesNotFound
    /// `DIALTONE_PG_BINDIR` names a folder without `initdb`.
    case binariesNotIn(folder: String)
    /// The user who runs the server cannot reach its programs.
    case binariesOutOfReach(folder: String, user: String)
    case commandFailed(command: String, output: String)
    case noOtherUser
    /// A server runs in this folder already; `pid` is its process.
    case inUse(folder: String, pid: Int32)

    package var description: String {
        switch self {
        case .binariesNotFound:
            "no PostgreSQL server programs found; install them (Debian: apt-get install postgresql) "
                + "or set DIALTONE_PG_BINDIR to the folder that holds initdb"
        case .binariesNotIn(let folder): "DIALTONE_PG_BINDIR names \(folder), and no program initdb is there"
        case .binariesOutOfReach(let folder, let user):
            "root does not run PostgreSQL, and the user '\(user)' cannot reach its programs in \(folder); "
                + "put them where every user may read, not under a home folder"
        case .commandFailed(let command, let output): "\(command) failed: \(output)"
        case .inUse(let folder, let pid):
            "a PostgreSQL (process \(pid)) runs in \(folder) already; end it, or give another folder"
        case .noOtherUser: "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as"
        }
    }
}
