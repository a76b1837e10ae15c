// SPDX-License-Identifier: Apache-2.0
// The first line of a request, looked at only when the parser does not say enough about it.

import NIOCore

enum RequestLine {
    /// Returns whether the bytes are one whole request of HTTP/0.9: `GET /path` and a line end, without a version.
    static func isOldest(_ bytes: ByteBuffer) -> Bool {
        let view = bytes.readableBytesView
        guard view.last == UInt8(ascii: "\n"), view.starts(with: "GET /".utf8) else { return false }
        guard view.firstIndex(of: UInt8(ascii: "\n")) == view.index(before: view.endIndex) else { return false }
        return !String(buffer: bytes).contains(" HTTP/")
    }

    /// Returns whether the bytes are line ends only.
    static func isBlank(_ bytes: ByteBuffer) -> Bool {
        bytes.readableBytesView.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
    }

    /// Returns whether the bytes begin with `method target HTTP/1.x`, whatever the method is.
    static func isWellFormed(_ bytes: ByteBuffer) -> Bool {
        let line = bytes.readableBytesView.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(Self.isToken), !words[1].isEmpty else {
            return false
        }
        return words[2].elementsEqual("HTTP/1.1".utf8) || words[2].elementsEqual("HTTP/1.0".utf8)
    }

    /// A character of a token (RFC 9110 section 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
