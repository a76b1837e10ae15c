// SPDX-License-Identifier: Apache-2.0
// A sealed value opens only if it is unchanged, in its own place and under its own key.

import Crypto
import Foundation
import Testing

@testable import Vault

@Suite struct RecordCipherTests {
    private static let key = TenantKey(id: UUID(), key: SymmetricKey(data: [UInt8](0..<32)))
    private static let binding = SealedBinding(
        tenant: "acme", table: "credentials", column: "sealed_password", row: "id-1", user: "u-1", generation: 1)
    private static let salt = [UInt8](repeating: 7, count: 32)

    private func seal(_ text: String) throws -> [UInt8] {
        try RecordCipher.seal(Array(text.utf8), under: Self.key, Self.binding, salt: Self.salt)
    }

    @Test func `a sealed value opens again, and its size grows in steps of 32 bytes`() throws {
        for length in 0...100 {
            let plain = String(repeating: "p", count: length)
            let sealed = try self.seal(plain)
            #expect((sealed.count - 100) % 32 == 0)
            #expect(try RecordCipher.open(sealed, under: Self.key, Self.binding) == Array(plain.utf8))
        }
    }

    @Test func `any changed byte makes a sealed value fail with the same error`() throws {
        let sealed = try self.seal("secret")
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            #expect(throws: CannotOpen()) { try RecordCipher.open(changed, under: Self.key, Self.binding) }
        }
    }

    @Test func `any truncation makes a sealed value fail with the same error`() throws {
        let sealed = try self.seal("secret")
        for length in 0..<sealed.count {
            #expect(throws: CannotOpen()) {
                try RecordCipher.open(Array(sealed[..<length]), under: Self.key, Self.binding)
            }
        }
    }

    @Test func `a sealed value opens for no other tenant, table, column, row, user or generation`() throws {
        let sealed = try self.seal("secret")
        var others: [SealedBinding] = []
        for change in 0..<6 {
            var other = Self.binding
            switch change {
            case 0: other.tenant = "globex"
            case 1: other.table = "other"
            case 2: other.column = "sealed_username"
            case 3: other.row = "id-2"
            case 4: other.user = "u-2"
            default: other.generation = 2
            }
            others.append(other)
        }
        for other in others {
            #expect(throws: CannotOpen()) { try RecordCipher.open(sealed, under: Self.key, other) }
        }
    }

    @Test func `a sealed value opens only under the key that it names`() throws {
        let sealed = try self.seal("secret")
        let forged = TenantKey(id: Self.key.id, key: SymmetricKey(size: .bits256))
        #expect(throws: CannotOpen()) { try RecordCipher.open(sealed, under: forged, Self.binding) }
        let renamed = TenantKey(id: UUID(), key: Self.key.key)
        #expect(throws: CannotOpen()) { try RecordCipher.open(sealed, under: renamed, Self.binding) }
        #expect(try RecordCipher.keyID(of: sealed) == Self.key.id)
    }

    @Test func `sealing and the blind index agree with an independent implementation`() throws {
        let known = try KnownAnswers.read()
        let key = TenantKey(id: KnownAnswers.keyID, key: SymmetricKey(data: [UInt8](0..<32)))
        let sealed = try RecordCipher.seal(Array("correct horse".utf8), under: key, Self.binding, salt: Self.salt)
        #expect(Data(sealed).base64EncodedString() == known.sealed)
        let index = Sealer(record: key, index: key).blindIndex("GenCred\u{0065}\u{0301}", column: "sip_username")
        #expect(Data(index).base64EncodedString() == known.blind_index)
    }

    @Test func `a wrapped key agrees with an independent implementation and opens for its tenant only`() async throws {
        let known = try KnownAnswers.read()
        let text = Data([UInt8](32..<64)).base64EncodedString()
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        let wrapped = try await kek.wrap(
            SymmetricKey(data: [UInt8](0..<32)), tenant: "acme", keyID: KnownAnswers.keyID, version: 1)
        #expect(Data(wrapped).base64EncodedString() == known.wrapped)
        await #expect(throws: (any Error).self) {
            try await kek.unwrap(wrapped, tenant: "globex", keyID: KnownAnswers.keyID, version: 1)
        }
    }
}
