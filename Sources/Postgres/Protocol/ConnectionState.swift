// SPDX-License-Identifier: Apache-2.0
// One activity of a connection at a time, because an actor alone lets a second call in at every await.

/// The state of one connection. It is pure and tested without a server.
struct ConnectionState: ~Copyable {
    enum Activity: Equatable {
        case idle
        case statement
        case pipeline
        /// Waiting for notifications.
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

    /// Takes the connection for one exchange. Throws when another call uses it or it is closed.
    mutating func begin(_ wanted: Activity) throws(PostgresError) {
        switch self.activity {
        case .idle: self.activity = wanted
        case .statement, .pipeline, .listening:
            throw PostgresError(.protocolViolation, "the connection is already in use by another call")
        case .closed(let reason): throw reason
        }
    }

    /// Gives the connection back. A connection closed meanwhile stays closed.
    mutating func end() {
        switch self.activity {
        case .statement, .pipeline, .listening, .idle: self.activity = .idle
        case .closed: break
        }
    }

    /// Closes the connection for good. The first reason stays. Returns false when it was closed already.
    mutating func close(_ reason: PostgresError) -> Bool {
        switch self.activity {
        case .closed: return false
        case .idle, .statement, .pipeline, .listening:
            self.activity = .closed(reason)
            return true
        }
    }
}
