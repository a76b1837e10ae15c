// SPDX-License-Identifier: Apache-2.0
// Format v1 of a sealed value: one key per value, derived and committed to, so that it opens under exactly one key.

import Crypto
package import Foundation

/// Bytes of a sealed value:
///
///     0 "TC" · 2 version 1 · 3 algorithm 1 (AES-256-GCM) · 4 key id (16) · 20 salt (32) · 52 commitment (32)
///     84 ciphertext of (plaintext ‖ 0x80 ‖ 0x00 …), a multiple of 32 · tag (16)
///
/// HKDF-SHA512(tenant key, salt, "tcs/rec/v1" ‖ algorithm ‖ key id) gives 32 bytes of key and 32 of commitment. The
/// nonce is twelve zero bytes: a key seals once, because its salt is 32 random bytes. "TC" and "tcs" are the former
/// name that `Vault` explains.
package enum RecordCipher {
    private static let headerLength = 84
    private static let tagLength = 16
    private static let block = 32
    private static let nonce = [UInt8](repeating: 0, count: 12)

    /// Seals a value. The salt must be 32 random bytes that were never used before.
    package static func seal(
        _ plaintext: [UInt8], under key: TenantKey, _ binding: SealedBinding, salt: [UInt8]
    ) throws -> [UInt8] {
        precondition(salt.count == 32, "a salt has 32 bytes")
        let derived = Self.derive(key, salt: salt)
        var sealed: [UInt8] = [0x54, 0x43, 1, 1]
        sealed.reserveCapacity(Self.headerLength + plaintext.count + 64)
        sealed.append(contentsOf: key.id.bytes)
        sealed.append(contentsOf: salt)
        sealed.append(contentsOf: derived.commitment)
        let box = try AES.GCM.seal(
            Self.padded(plaintext), using: derived.key, nonce: AES.GCM.Nonce(data: Self.nonce),
            authenticating: binding.authenticatedData(header: sealed[...]))
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
        return sealed
    }

    /// Opens a value under the key that its header names, bound to its own place.
    package static func open(
        _ sealed: [UInt8], under key: TenantKey, _ binding: SealedBinding
    ) throws(CannotOpen) -> [UInt8] {
        guard try self.keyID(of: sealed) == key.id else { throw CannotOpen() }
        let derived = Self.derive(key, salt: Array(sealed[20..<52]))
        guard Self.areEqual(derived.commitment, sealed[52..<84]) else { throw CannotOpen() }
        let tagStart = sealed.count - Self.tagLength
        guard
            let nonce = try? AES.GCM.Nonce(data: Self.nonce),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: sealed[Self.headerLength..<tagStart], tag: sealed[tagStart...]),
            let padded = try? AES.GCM.open(
                box, using: derived.key,
                authenticating: binding.authenticatedData(header: sealed[..<Self.headerLength])),
            let end = padded.lastIndex(where: { $0 != 0 }), padded[end] == 0x80
        else { throw CannotOpen() }
        return Array(padded[..<end])
    }

    /// Returns the id of the key that a value names in its header. So no key is ever tried in turn.
    package static func keyID(of sealed: [UInt8]) throws(CannotOpen) -> UUID {
        let length = sealed.count - Self.headerLength - Self.tagLength
        guard length >= Self.block, length % Self.block == 0, sealed[..<4] == [0x54, 0x43, 1, 1] else {
            throw CannotOpen()
        }
        return UUID(bytes: sealed[4..<20])
    }

    private static func derive(_ key: TenantKey, salt: [UInt8]) -> (key: SymmetricKey, commitment: [UInt8]) {
        let info = Array("tcs/rec/v1".utf8) + [1] + key.id.bytes
        let derived = HKDF<SHA512>.deriveKey(
            inputKeyMaterial: key.key, salt: salt, info: info, outputByteCount: 64)
        return derived.withUnsafeBytes { bytes in
            (SymmetricKey(data: bytes[..<32]), Array(bytes[32...]))
        }
    }

    private static func padded(_ plaintext: [UInt8]) -> [UInt8] {
        var padded = plaintext
        padded.append(0x80)
        let rest = padded.count % Self.block
        if rest != 0 { padded.append(contentsOf: repeatElement(0, count: Self.block - rest)) }
        return padded
    }

    /// Compares in a time that does not depend on the contents.
    private static func areEqual(_ lhs: [UInt8], _ rhs: ArraySlice<UInt8>) -> Bool {
        guard lhs.count == rhs.count else { return false }
        return zip(lhs, rhs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
