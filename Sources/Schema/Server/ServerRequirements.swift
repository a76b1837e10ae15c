// SPDX-License-Identifier: Apache-2.0
// What a server and a database must be before anything else is asked of them.

package import Postgres

package enum ServerRequirements {
    /// Throws `.tooOld` and `.notUTF8`.
    package static func verify(on connection: PostgresConnection) async throws {
        let row = try await connection.query(
            """
            select current_setting('server_version_num')::integer, current_setting('server_version'),
                   datname::text, pg_encoding_to_char(encoding)::text
            from pg_database where datname = current_database()
            """
        ).first
        guard let row else { return }
        let (number, version, database, encoding) = try row.decode(
            Int32.self, String.self, String.self, String.self)
        try self.verify(number: number, version: version, database: database, encoding: encoding)
    }

    /// Throws `.isolation` unless transactions are read committed where nothing else is said.
    ///
    /// What follows a lock must see what its holder has committed. Behind a pooler the service cannot set this for its
    /// sessions. `connection` is one like the service's.
    package static func verifyIsolation(on connection: PostgresConnection) async throws {
        let row = try await connection.query("select current_setting('default_transaction_isolation')").first
        let isolation = try row?.decode(String.self) ?? "unknown"
        guard isolation == "read committed" else { throw SchemaError.isolation(isolation) }
    }

    /// Throws `.takesNoWrites` on a standby, and where transactions begin read-only.
    package static func verifyTakesWrites(on connection: PostgresConnection) async throws {
        let row = try await connection.query(
            "select pg_is_in_recovery(), current_setting('transaction_read_only')::boolean"
        ).first
        let (isStandby, isReadOnly) = try row?.decode(Bool.self, Bool.self) ?? (false, false)
        if isStandby || isReadOnly { throw SchemaError.takesNoWrites(isStandby: isStandby) }
    }

    /// `number`: the server's `server_version_num`, such as 150004.
    static func verify(number: Int32, version: String, database: String, encoding: String) throws(SchemaError) {
        guard number >= 150_000 else { throw .tooOld(version: version) }
        // Another encoding cannot store every user id, so events would be refused for ever.
        guard encoding == "UTF8" else { throw .notUTF8(database: database, encoding: encoding) }
    }
}
