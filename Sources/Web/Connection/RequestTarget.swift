// SPDX-License-Identifier: Apache-2.0
// A request's path in its one form, so that `%5F` and `_` lead to the same place on both paths.

enum RequestTarget {
    /// Returns the target with the escapes of unreserved characters in its path decoded, once (RFC 3986 section
    /// 6.2.2.2). Nil when there are none. Every other escape stays: `%2F` is no slash, and `%25` begins no escape.
    static func normalised(_ target: String) -> String? {
        guard target.utf8.contains(UInt8(ascii: "%")) else { return nil }
        let bytes = Array(target.utf8)
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        var result: [UInt8] = []
        var place = 0
        while place < end {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < end, let high = Self.digit(bytes[place + 1]),
                let low = Self.digit(bytes[place + 2]), Self.isUnreserved(high << 4 | low)
            {
                result.append(high << 4 | low)
                place += 3
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        guard result.count < end else { return nil }
        return String(decoding: result + bytes[end...], as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// RFC 3986 section 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
