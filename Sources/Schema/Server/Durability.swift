// SPDX-License-Identifier: Apache-2.0
// Whether the server keeps what it has acknowledged: the first promise rests on it.

package import Postgres

/// Who makes a commit durable: the server by writing it to disk, or storage that is durable by itself.
package enum Durability: String, Sendable {
    case server
    /// `fsync=off` and `full_page_writes=off` are accepted. An operator has said that the storage needs neither.
    case storage

    private static let ofStorage = ["fsync", "full_page_writes"]

    /// Throws `.notDurable` when a setting lets the server lose commits that it has acknowledged.
    ///
    /// The service turns synchronous_commit on for its own sessions. Behind a pooler it cannot, so there the server's
    /// own setting counts.
    package func verify(on connection: PostgresConnection) async throws {
        let settings = (self == .storage ? [] : Self.ofStorage) + ["synchronous_commit"]
        if let setting = try await Self.off(settings, on: connection).first {
            throw SchemaError.notDurable(setting: setting)
        }
    }

    /// Returns the settings that are off and accepted, to be said at each start.
    package func accepted(on connection: PostgresConnection) async throws -> [String] {
        self == .storage ? try await Self.off(Self.ofStorage, on: connection) : []
    }

    private static func off(_ settings: [String], on connection: PostgresConnection) async throws -> [String] {
        var found: [String] = []
        for setting in settings {
            let value = try await connection.query("select current_setting(\(setting))").first?.decode(String.self)
            if value == "off" { found.append(setting) }
        }
        return found
    }
}
