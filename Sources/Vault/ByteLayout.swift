// SPDX-License-Identifier: Apache-2.0
// How numbers, texts and ids stand in the vault's formats.

import Foundation

extension [UInt8] {
    /// Appends four bytes, the most significant first.
    mutating func append(bigEndian number: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { self.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// Appends the text's length in bytes, then the text in UTF-8.
    mutating func append(lengthPrefixed text: String) {
        self.append(bigEndian: UInt32(text.utf8.count))
        self.append(contentsOf: text.utf8)
    }
}

extension UUID {
    var bytes: [UInt8] { withUnsafeBytes(of: self.uuid) { Array($0) } }

    /// Makes an id of sixteen bytes.
    init(bytes: ArraySlice<UInt8>) {
        var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: bytes.prefix(16)) }
        self.init(uuid: uuid)
    }
}
