// SPDX-License-Identifier: Apache-2.0
// The statements this connection has prepared, by their text: those that are used a second time.

/// Knows, per connection, which statement texts the server has parsed already.
struct StatementCache {
    enum Use: Equatable {
        case direct
        case prepare(name: String)
        case prepared(name: String)
    }

    /// More distinct texts than this mean that a caller builds texts, and built texts are not worth keeping.
    private static let limit = 256

    private let isOn: Bool
    private var uses: [String: Int] = [:]
    private var names: [String: String] = [:]
    private var serial = 0

    init(isOn: Bool) { self.isOn = isOn }

    /// Returns how to send this statement now, and counts its use.
    mutating func use(_ statement: SQL) -> Use {
        guard self.isOn else { return .direct }
        if let name = self.names[statement.text] { return .prepared(name: name) }
        guard self.uses.count < Self.limit || self.uses[statement.text] != nil else { return .direct }
        self.uses[statement.text, default: 0] += 1
        guard self.uses[statement.text, default: 0] > 1, Self.canBePrepared(statement) else { return .direct }
        return .prepare(name: "s\(self.serial + 1)")
    }

    /// Notes that the preparation `use` asked for was accepted, or goes ahead in the same pipeline.
    mutating func prepared(_ statement: SQL) {
        self.serial += 1
        self.names[statement.text] = "s\(self.serial)"
    }

    /// Forgets a statement whose plan or name the server no longer has.
    ///
    /// 0A000 is "cached plan must not change result type", after a migration. 26000 is an unknown name, after DISCARD
    /// or with a pooler in between. A statement that `isNew` was prepared in the same pipeline. Any failure forgets it,
    /// because its preparation may never have been run.
    mutating func settled<Rows>(_ statement: SQL, _ outcome: Result<Rows, PostgresError>, isNew: Bool = false) {
        guard case .failure(let error) = outcome, isNew || error.sqlState == "0A000" || error.sqlState == "26000" else {
            return
        }
        self.names[statement.text] = nil
        self.uses[statement.text] = nil
    }

    /// Transaction commands are sent as they are, because preparing them saves nothing.
    private static func canBePrepared(_ statement: SQL) -> Bool {
        ![PostgresConnection.readCommitted.text, "commit", "rollback"].contains(statement.text)
    }
}
