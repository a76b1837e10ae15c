// SPDX-License-Identifier: Apache-2.0
// The bytes that an independent implementation of the vault's formats makes.

import Foundation

/// The values of `KnownAnswers/record-v1.json`, in base64. `KnownAnswers/make_record_v1.py` makes them.
struct KnownAnswers: Decodable {
    var sealed: String
    var wrapped: String
    var blind_index: String

    /// The script's key id, 00112233-4455-6677-8899-aabbccddeeff.
    static let keyID = UUID(
        uuid: (
            0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF
        ))

    static func read() throws -> KnownAnswers {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("KnownAnswers/record-v1.json")
        return try JSONDecoder().decode(KnownAnswers.self, from: Data(contentsOf: file))
    }
}
