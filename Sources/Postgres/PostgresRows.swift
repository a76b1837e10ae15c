// SPDX-License-Identifier: Apache-2.0
// The rows of a statement. Their columns are read in order, each by the type the reader names.

/// The rows of one statement. Reading copies a value out. The result is freed with the last row.
package struct PostgresRows: RandomAccessCollection, Sendable {
    let result: PQResult

    /// Rows inserted, updated, deleted, moved or selected, as the server counts them (`PQcmdTuples`).
    package var affected: Int { self.result.affectedRows }
    package var startIndex: Int { 0 }
    package var endIndex: Int { self.result.rowCount }
    package subscript(position: Int) -> PostgresRow { PostgresRow(result: self.result, index: position) }
}

/// One row.
package struct PostgresRow: Sendable {
    let result: PQResult
    let index: Int

    /// A cursor over the columns, in the order of the select list.
    package var columns: PostgresColumns { PostgresColumns(row: self) }

    /// Reads all columns at once: `let (id, at) = try row.decode(UUID.self, Date.self)`.
    package func decode<each Column: PostgresDecodable>(
        _ types: repeat (each Column).Type
    ) throws(PostgresError) -> (repeat each Column) {
        var columns = self.columns
        return (repeat try columns.next(each types))
    }
}

/// Reads the columns of one row from left to right.
///
///     var columns = row.columns
///     return Job(id: try columns.next(), epoch: try columns.next())
package struct PostgresColumns {
    private let row: PostgresRow
    private var position = 0

    init(row: PostgresRow) { self.row = row }

    /// Reads the next column. Throws `.decoding` when its type or its value is not that of `Value`.
    package mutating func next<Value: PostgresDecodable>(_ type: Value.Type = Value.self) throws(PostgresError) -> Value
    {
        let column = self.position
        self.position += 1
        let result = self.row.result
        guard column < result.columnCount else {
            throw PostgresError(.decoding, "column \(column + 1) was asked for, there are \(result.columnCount)")
        }
        let columnType = result.type(ofColumn: column)
        guard Value.accepts(columnType) else {
            throw self.mismatch(column, "has type \(columnType.rawValue), which \(Value.self) does not read")
        }
        if result.isNull(row: self.row.index, column: column) {
            guard let null = Value.null else { throw self.mismatch(column, "is NULL, \(Value.self) was asked for") }
            return null
        }
        let value = unsafe result.withBytes(row: self.row.index, column: column) { bytes in
            unsafe Value(postgresBytes: bytes, type: columnType)
        }
        guard let value else { throw self.mismatch(column, "does not have the shape of \(Value.self)") }
        return value
    }

    /// Reads an id or a status word by the value that it wraps.
    package mutating func next<Value: RawRepresentable>(_ type: Value.Type = Value.self) throws(PostgresError) -> Value
    where Value.RawValue: PostgresDecodable {
        let column = self.position
        guard let value = Value(rawValue: try self.next(Value.RawValue.self)) else {
            throw self.mismatch(column, "holds a value that is no \(Value.self)")
        }
        return value
    }

    /// Reads an id or a status word that may be NULL.
    package mutating func next<Value: RawRepresentable>(_ type: Value?.Type = Value?.self) throws(PostgresError)
        -> Value?
    where Value.RawValue: PostgresDecodable {
        let column = self.position
        guard let raw = try self.next(Value.RawValue?.self) else { return nil }
        guard let value = Value(rawValue: raw) else {
            throw self.mismatch(column, "holds a value that is no \(Value.self)")
        }
        return value
    }

    private func mismatch(_ column: Int, _ what: String) -> PostgresError {
        PostgresError(.decoding, "column \(self.row.result.name(ofColumn: column)) \(what)")
    }
}
