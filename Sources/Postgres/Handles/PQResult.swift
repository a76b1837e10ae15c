// SPDX-License-Identifier: Apache-2.0
// One PGresult: the rows, the command tag or the error of one statement, freed exactly once.

import CLibpq

/// Owns a `PGresult *`.
///
/// Unchecked because libpq guarantees safety without a lock, and nothing here writes to the result. "PGresult objects
/// are normally read-only after creation, and so can be passed around freely between threads" (34.20).
@safe final class PQResult: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe PQclear(self.pointer) }

    var status: ExecStatusType { unsafe PQresultStatus(self.pointer) }
    var rowCount: Int { Int(unsafe PQntuples(self.pointer)) }
    var columnCount: Int { Int(unsafe PQnfields(self.pointer)) }
    var affectedRows: Int { unsafe Int(String(cString: PQcmdTuples(self.pointer))) ?? 0 }

    /// "COMMIT", "INSERT 0 1", …
    var commandTag: String { unsafe String(cString: PQcmdStatus(self.pointer)) }

    func type(ofColumn column: Int) -> PostgresType {
        PostgresType(rawValue: unsafe PQftype(self.pointer, Int32(column)))
    }

    func name(ofColumn column: Int) -> String {
        unsafe PQfname(self.pointer, Int32(column)).map { unsafe String(cString: $0) } ?? "\(column + 1)"
    }

    func isNull(row: Int, column: Int) -> Bool {
        unsafe PQgetisnull(self.pointer, Int32(row), Int32(column)) == 1
    }

    /// Lends the column's bytes while `body` runs. They belong to the result (34.3.2, `PQgetvalue`).
    func withBytes<Value>(row: Int, column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let start = unsafe PQgetvalue(self.pointer, Int32(row), Int32(column))
        let length = unsafe PQgetlength(self.pointer, Int32(row), Int32(column))
        return withExtendedLifetime(self) {
            unsafe body(UnsafeRawBufferPointer(start: start, count: Int(length)))
        }
    }

    /// The server's error with its codes. DETAIL and HINT are left out.
    var error: PostgresError {
        let sqlState = self.field(67)
        return PostgresError(
            .server,
            Self.safeMessage(self.field(77) ?? "the server gave no message", sqlState: sqlState),
            sqlState: sqlState, constraint: self.field(110), table: self.field(116), column: self.field(99)
        )
    }

    /// Returns one field of the error (`PQresultErrorField`) by its code in postgres_ext.h.
    ///
    /// The codes are letters: C (67) SQLSTATE, M (77) primary message, c (99) column, n (110) constraint, t (116)
    /// table.
    private func field(_ code: Int32) -> String? {
        unsafe PQresultErrorField(self.pointer, code).map { unsafe String(cString: $0) }
    }

    /// Replaces the messages of class 22, which quote the offending input ("invalid input syntax for type uuid: …").
    private static func safeMessage(_ message: String, sqlState: String?) -> String {
        guard let sqlState, sqlState.hasPrefix("22") else { return message }
        return "a value is not valid for its type"
    }
}
