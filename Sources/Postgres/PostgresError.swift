// SPDX-License-Identifier: Apache-2.0
// Every error between us and PostgreSQL, with the server's codes and never with a bound value.

/// An error of this driver or of the server.
///
/// `message` is the server's primary message only: DETAIL and HINT quote row values and are dropped. SQLSTATE class 22
/// (invalid data) puts input into the primary message itself, so a fixed text replaces it.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The server refused the statement; see `sqlState`.
        case server
        /// The connection went away. Whether a statement under way took effect is unknown.
        case connectionLost
        /// No connection could be made.
        case connectFailed
        /// No connection became free in time.
        case poolTimeout
        /// The pool has had no working connection for a while and fails fast, or is shut down.
        case poolUnavailable
        /// The task was cancelled. The statement was stopped or never sent.
        case cancelled
        /// A column does not have the type or shape asked for.
        case decoding
        /// libpq reported an order of results that must not occur, and the connection is closed.
        case protocolViolation
        /// The connection was lost inside COMMIT, or the server gave up waiting for its synchronous standby. The commit
        /// may have happened, and a fail-over may undo it.
        case commitUnknown
        /// A connection string or a statement cannot be used as it is.
        case configuration
        /// An earlier statement of the same pipeline group failed, so this one was not run.
        case notRun
    }

    package var code: Code
    package var message: String
    package var sqlState: String?
    package var constraint: String?
    package var table: String?
    package var column: String?

    package init(
        _ code: Code, _ message: String, sqlState: String? = nil, constraint: String? = nil, table: String? = nil,
        column: String? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.constraint = constraint
        self.table = table
        self.column = column
    }

    package var isUniqueViolation: Bool { self.sqlState == "23505" }
    /// Deadlock or serialization failure: the same transaction may be tried again.
    package var isRetryable: Bool { self.sqlState == "40P01" || self.sqlState == "40001" }

    /// A lock was not had within `lock_timeout`.
    package var isLockTimeout: Bool { self.sqlState == "55P03" }

    /// Whether the server will never take these values: data exceptions, broken constraints and limits of the server
    /// (SQLSTATE classes 22, 23 and 54, appendix A).
    package var isRefusedForGood: Bool {
        guard self.code == .server, let state = self.sqlState else { return false }
        return ["22", "23", "54"].contains { state.hasPrefix($0) }
    }

    /// Whether the database could not be reached or went away, as opposed to refusing this statement.
    package var isUnavailable: Bool {
        switch self.code {
        case .connectionLost, .connectFailed, .poolTimeout, .poolUnavailable, .commitUnknown: true
        case .server:
            // 57P0x: shutting down, crashed, not yet up. 53xxx: out of resources. 25006: a standby. 08: connection.
            self.sqlState.map { state in
                ["57P", "53", "08"].contains { state.hasPrefix($0) } || state == "25006"
            } ?? false
        case .cancelled, .decoding, .protocolViolation, .configuration, .notRun: false
        }
    }

    /// Whether the statement took longer than it may: it was stopped (57014) or was not given a lock (55P03).
    package var isTooSlow: Bool { self.code == .server && ["57014", "55P03"].contains(self.sqlState) }

    package var description: String {
        var parts = [
            [.server, .poolUnavailable, .poolTimeout].contains(self.code)
                ? self.message : "\(self.code.words): \(self.message)"
        ]
        if let sqlState { parts.append("SQLSTATE \(sqlState)") }
        if let constraint { parts.append("constraint \(constraint)") }
        if let table { parts.append("table \(table)") }
        return parts.joined(separator: ", ")
    }
}

extension PostgresError.Code {
    /// The code in words for people.
    fileprivate var words: String {
        switch self {
        case .server: "the database refused"
        case .connectionLost: "the database went away"
        case .connectFailed: "no connection to the database"
        case .poolTimeout: "the database is too busy"
        case .poolUnavailable: "no connection to the database"
        case .cancelled: "stopped"
        case .decoding: "a column is not as expected"
        case .protocolViolation: "libpq and we disagree"
        case .commitUnknown: "a commit's outcome is unknown"
        case .configuration: "a wrong setting"
        case .notRun: "not run"
        }
    }
}
