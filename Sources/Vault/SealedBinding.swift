// SPDX-License-Identifier: Apache-2.0
// The place that a sealed value is bound to: it opens nowhere else, and for no other tenant or user.

package import Model

/// The place of one sealed value. The value's authentication covers it, so values cannot be swapped between rows.
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

    /// Returns "tcs/aad/v1" ‖ header ‖ tenant ‖ table ‖ column ‖ row ‖ user ‖ generation.
    ///
    /// Each text after the header has its length before it. "tcs" is the former name that `Vault` explains.
    func authenticatedData(header: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = Array("tcs/aad/v1".utf8)
        bytes.append(contentsOf: header)
        for part in [self.tenant, self.table, self.column, self.row, self.user] { bytes.append(lengthPrefixed: part) }
        bytes.append(bigEndian: UInt32(bitPattern: self.generation))
        return bytes
    }
}

extension SealedBinding {
    /// Returns the binding of a column of `dialtone.credentials`.
    package static func credential(
        _ column: String, of user: UserKey, generation: Generation, _ id: ProviderID
    ) -> SealedBinding {
        SealedBinding(
            tenant: user.tenant.rawValue, table: "credentials", column: column, row: id.rawValue,
            user: user.user.rawValue,
            generation: generation)
    }

    /// Returns the binding of the row of `dialtone.person_names` that a user has.
    package static func personName(of user: UserKey) -> SealedBinding {
        SealedBinding(
            tenant: user.tenant.rawValue, table: "person_names", column: "sealed", row: user.user.rawValue,
            user: user.user.rawValue, generation: 0)
    }
}
