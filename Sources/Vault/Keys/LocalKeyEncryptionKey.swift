// SPDX-License-Identifier: Apache-2.0
// A key-encryption key from the environment or a file, which the process holds in memory.

package import Crypto
package import Foundation
package import Model

/// A key of 32 bytes from the environment or a file.
///
/// The wrapping key is HKDF-SHA512(key, "tcs/wrap/v1" ‖ tenant ‖ key id ‖ version), used for AES key wrap (RFC 3394).
/// The derivation binds tenant, key and version, which key wrap itself cannot. "tcs" is the former name that `Vault`
/// explains.
package struct LocalKeyEncryptionKey: KeyEncryptionKey {
    package let uri: String
    private let key: SymmetricKey

    /// Reads the key. `uri` is `env:NAME` or `file:PATH`. The value is base64 of 32 bytes, as `dialtone vault keygen`
    /// prints it.
    package init(
        uri: String, environment: (String) -> String?, file: (String) throws -> String
    ) throws(InvalidValue) {
        let text: String
        switch uri.split(separator: ":", maxSplits: 1).map(String.init) {
        case let parts where parts.count == 2 && parts[0] == "env":
            guard let value = environment(parts[1]) else {
                throw InvalidValue("DIALTONE_KEK", "names the variable \(parts[1]), which is not set")
            }
            text = value
        case let parts where parts.count == 2 && parts[0] == "file":
            guard let value = try? file(parts[1]) else {
                throw InvalidValue("DIALTONE_KEK", "names the file \(parts[1]), which cannot be read")
            }
            text = value
        default:
            throw InvalidValue("DIALTONE_KEK", "must be env:NAME or file:PATH")
        }
        guard let bytes = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)), bytes.count == 32,
            bytes.contains(where: { $0 != 0 })
        else {
            throw InvalidValue(
                "DIALTONE_KEK", "must lead to 32 random bytes in base64; make them with: dialtone vault keygen")
        }
        self.uri = uri
        self.key = SymmetricKey(data: bytes)
    }

    package func wrap(_ key: SymmetricKey, tenant: String, keyID: UUID, version: Int32) async throws -> [UInt8] {
        Array(try AES.KeyWrap.wrap(key, using: self.wrappingKey(tenant, keyID, version)))
    }

    package func unwrap(_ wrapped: [UInt8], tenant: String, keyID: UUID, version: Int32) async throws -> SymmetricKey {
        try AES.KeyWrap.unwrap(wrapped, using: self.wrappingKey(tenant, keyID, version))
    }

    private func wrappingKey(_ tenant: String, _ keyID: UUID, _ version: Int32) -> SymmetricKey {
        var info = Array("tcs/wrap/v1".utf8)
        info.append(lengthPrefixed: tenant)
        info.append(contentsOf: keyID.bytes)
        info.append(bigEndian: UInt32(bitPattern: version))
        return HKDF<SHA512>.deriveKey(inputKeyMaterial: self.key, info: info, outputByteCount: 32)
    }

    /// Returns a new key, in the form that the settings want.
    package static func generate() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() }
    }
}
