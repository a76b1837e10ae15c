// SPDX-License-Identifier: Apache-2.0
// What a connection is doing: one thing at a time, because an actor alone lets a second call in at every await.

/// The state of one connection; pure, tested without a server.
struct ConnectionState: ~Copyable {
    enum Activity: Equatable {
        case idle
        case statement
        case pipeline
        /// Waiting for notifications; a statement may take over at any time.
        case listening
        case closed(PostgresError)

        static func == (lhs: Self, rhs: Self) -> Bool {
            switch (lhs, rhs) {
            case (.idle, .idle), (.statement, .statement), (.pipeline, .pipeline), (.listening, .listening),
                (.closed, .closed):
                true
            default: false
            }
        }
    }

    private(set) var activity: Activity = .idle

    /// Takes the connection for one exchange.
    mutating func begin(_ wanted: Activity) throws(PostgresError) {
        switch self.activity {
        case .idle: self.activity = wanted
        case .statement, .pipeline, .listening:
            throw PostgresError(.protocolViolation, "the connection is already in use by another call")
        case .closed(let reason): throw reason
        }
    }

    /// Gives it back. A connection closed meanwhile stays closed.
    mutating func end() {
        switch self.activity {
        case .statement, .pipeline, .listening, .idle: self.activity = .idle
        case .closed: break
        }
    }

    /// Closes it for good; the first reason stays.
    mutating func close(_ reason: PostgresError) -> Bool {
        switch self.activity {
        case .closed: return false
        case .idle, .statement, .pipeline, .listening:
            self.activity = .closed(reason)
            return true
        }
    }
}
