// SPDX-License-Identifier: Apache-2.0
// The id by which a caller's support and our log speak of the same request.

enum RequestIdentity {
    /// Returns the caller's `X-Request-Id` when it is 1 to 128 of A-Z a-z 0-9 . _ -, or else a new id.
    static func of(_ given: String?) -> String {
        if let given, (1...128).contains(given.utf8.count), given.utf8.allSatisfy(Self.isAllowed) { return given }
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 36)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
