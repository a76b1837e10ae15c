// SPDX-License-Identifier: Apache-2.0
// Which statements this connection has prepared: those used a second time, by the text of the statement.

/// Knows, per connection, which statement texts the server has parsed already.
struct StatementCache {
    enum Use: Equatable {
        case direct
        case prepare(name: String)
        case prepared(name: String)
    }

    /// More distinct texts than this means that a caller builds texts; those are not worth keeping.
    private static let limit = 256

    private let isOn: Bool
    private var uses: [String: Int] = [:]
    private var names: [String: String] = [:]
    private var serial = 0

    init(isOn: Bool) { self.isOn = isOn }

    /// How to send this statement now.
    mutating func use(_ statement: SQL) -> Use {
        guard self.isOn else { return .direct }
        if let name = self.names[statement.text] { return .prepared(name: name) }
        guard self.uses.count < Self.limit || self.uses[statement.text] != nil else { return .direct }
        self.uses[statement.text, default: 0] += 1
        guard self.uses[statement.text, default: 0] > 1, Self.canBePrepared(statement) else { return .direct }
        return .prepare(name: "s\(self.serial + 1)")
    }

    /// The server has accepted the preparation `use` asked for.
    mutating func prepared(_ statement: SQL) {
        self.serial += 1
        self.names[statement.text] = "s\(self.serial)"
    }

    /// Forgets a statement whose plan or name the server no longer has: 0A000 "cached plan must not change result type"
    /// after a migration, 26000 no such name (DISCARD, a pooler in between).
    /// So does any failure of a statement whose preparation went in the same pipeline: it may never have been run.
    mutating func settled<Rows>(_ statement: SQL, _ outcome: Result<Rows, PostgresError>, isNew: Bool = false) {
        guard case .failure(let error) = outcome, isNew || error.sqlState == "0A000" || error.sqlState == "26000" else {
            return
        }
        self.names[statement.text] = nil
        self.uses[statement.text] = nil
    }

    /// Transaction commands are sent as they are: preparing them saves nothing.
    private static func canBePrepared(_ statement: SQL) -> Bool {
        !["begin", "commit", "rollback"].contains(statement.text)
    }
}
