// SPDX-License-Identifier: Apache-2.0
// Random user names, passwords and token ids, in the vendor's alphabets.

enum RandomText {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    /// Returns that many letters and digits.
    static func letters(_ count: Int) -> String {
        String((0..<count).map { _ in Self.alphabet[Int.random(in: 0..<62)] })
    }

    /// Returns that many bytes in hexadecimal.
    static func hex(_ bytes: Int) -> String {
        (0..<bytes * 2).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
    }
}
