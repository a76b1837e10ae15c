// SPDX-License-Identifier: Apache-2.0
// Seals values and makes their blind indexes with a tenant's keys in hand.

import Crypto
import Foundation

/// Seals without waiting, for one tenant.
package struct Sealer: Sendable {
    private let record: TenantKey
    private let index: BlindIndex

    package init(record: TenantKey, index: TenantKey) {
        self.record = record
        self.index = BlindIndex(key: index)
    }

    package func seal(_ plaintext: String, _ binding: SealedBinding) throws -> [UInt8] {
        let salt = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        return try RecordCipher.seal(Array(plaintext.utf8), under: self.record, binding, salt: salt)
    }

    /// Returns a keyed hash by which a value can be found without opening any.
    package func blindIndex(_ value: String, column: String) -> [UInt8] { self.index.hash(value, column: column) }
}
