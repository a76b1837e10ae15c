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
    package func verify(on connection: PostgresConnection) async throws {
        let settings = (self == .storage ? [] : Self.ofStorage) + ["synchronous_commit"]
        if let setting = try await Self.off(settings, on: connection).first {
            throw SchemaError.notDurable(setting: setting)
        }
    }

    /// Throws `.notDurable` when sessions begin with synchronous_commit=off. `connection` sends no options.
    ///
    /// The service turns it on for its own sessions. A backup that is read back and `migrate` take it as it is.
    package static func verifySessions(on connection: PostgresConnection) async throws {
        if let setting = try await Self.off(["synchronous_commit"], on: connection).first {
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
