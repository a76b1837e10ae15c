// SPDX-License-Identifier: Apache-2.0
// One PGresult: what libpq read for one statement, freed exactly once.

import CLibpq

/// Owns a `PGresult *`.
///
/// Unchecked because libpq guarantees it without a lock: "PGresult objects are normally read-only after creation, and
/// so can be passed around freely between threads" (libpq chapter 34.20). Nothing here writes to it.
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

    /// The column's bytes, valid inside `body` only: they belong to the result (34.3.2, `PQgetvalue`).
    func withBytes<Value>(row: Int, column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let start = unsafe PQgetvalue(self.pointer, Int32(row), Int32(column))
        let length = unsafe PQgetlength(self.pointer, Int32(row), Int32(column))
        return withExtendedLifetime(self) {
            unsafe body(UnsafeRawBufferPointer(start: start, count: Int(length)))
        }
    }

    /// The server's error, with its codes and without its details.
    var error: PostgresError {
        let sqlState = self.field(67)
        return PostgresError(
            .server,
            Self.safeMessage(self.field(77) ?? "the server gave no message", sqlState: sqlState),
            sqlState: sqlState, constraint: self.field(110), table: self.field(116), column: self.field(99)
        )
    }

    /// `PQresultErrorField` by the codes of postgres_ext.h: C SQLSTATE, M primary message, n constraint, t table, c
    /// column.
    private func field(_ code: Int32) -> String? {
        unsafe PQresultErrorField(self.pointer, code).map { unsafe String(cString: $0) }
    }

    /// Class 22 and 42601 messages quote the offending input ("invalid input syntax for type uuid: …").
    private static func safeMessage(_ message: String, sqlState: String?) -> String {
        guard let sqlState, sqlState.hasPrefix("22") else { return message }
        return "a value is not valid for its type"
    }
}
