// SPDX-License-Identifier: Apache-2.0
// What a sealed value is bound to: opened anywhere else, by anyone else, it does not open.

package import Model

/// The place of one sealed value: part of what its authentication covers, so that values cannot be swapped between
/// rows.
package struct SealedBinding: Sendable, Equatable {
    /// The tenant's id, or "-" for Dialtone's own.
    package var tenant: String
    package var table: String
    package var column: String
    package var row: String
    package var user: String
    package var generation: Int32

    package init(tenant: String, table: String, column: String, row: String, user: String, generation: Int32) {
        self.tenant = tenant
        self.table = table
        self.column = column
        self.row = row
        self.user = user
        self.generation = generation
    }

    /// "tcs/aad/v1" ‖ header ‖ tenant ‖ table ‖ column ‖ row ‖ user ‖ generation; texts with their length before them.
    func authenticatedData(header: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = Array("tcs/aad/v1".utf8)
        bytes.append(contentsOf: header)
        for part in [self.tenant, self.table, self.column, self.row, self.user] { bytes.append(lengthPrefixed: part) }
        bytes.append(bigEndian: UInt32(bitPattern: self.generation))
        return bytes
    }
}

extension [UInt8] {
    mutating func append(bigEndian number: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { self.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func append(lengthPrefixed text: String) {
        self.append(bigEndian: UInt32(text.utf8.count))
        self.append(contentsOf: text.utf8)
    }
}

extension SealedBinding {
    /// A column of `dialtone.credentials`.
    package static func credential(
        _ column: String, of user: UserKey, generation: Generation, _ id: ProviderID
    ) -> SealedBinding {
        SealedBinding(
            tenant: user.tenant.rawValue, table: "credentials", column: column, row: id.rawValue,
            user: user.user.rawValue,
            generation: generation)
    }
}
