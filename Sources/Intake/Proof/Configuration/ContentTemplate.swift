// SPDX-License-Identifier: Apache-2.0
// What a sender signs, written as a template over the raw bytes of its delivery.

import Model

/// `{body}` once, and around it plain text, `{timestamp}`, `{id}` and `{header:NAME}`: Stripe signs
/// `{timestamp}.{body}`. Nothing is decoded, so the bytes are those that the sender has signed.
struct ContentTemplate: Sendable, Equatable {
    enum Piece: Sendable, Equatable {
        case text([UInt8])
        case timestamp, id, body
        case header(String)
    }

    let pieces: [Piece]

    private static let maximumPieces = 16

    /// The body alone.
    static let body = ContentTemplate(pieces: [.body])

    private init(pieces: [Piece]) { self.pieces = pieces }

    /// Throws for a name in braces that is none of these, for a brace without its fellow, and without `{body}`: a
    /// signature that does not cover the body proves nothing about it.
    init(_ text: String, at place: String) throws(InvalidValue) {
        var pieces: [Piece] = []
        var rest = text[...]
        while let opening = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            if opening > rest.startIndex { pieces.append(.text(Array(rest[..<opening].utf8))) }
            guard rest[opening] == "{", let closing = rest.firstIndex(of: "}") else { throw Self.refusal(place) }
            pieces.append(try Self.piece(rest[rest.index(after: opening)..<closing], place))
            rest = rest[rest.index(after: closing)...]
        }
        if !rest.isEmpty { pieces.append(.text(Array(rest.utf8))) }
        guard pieces.count(where: { $0 == .body }) == 1, pieces.count <= Self.maximumPieces else {
            throw Self.refusal(place)
        }
        self.pieces = pieces
    }

    private static func piece(_ name: Substring, _ place: String) throws(InvalidValue) -> Piece {
        switch name {
        case "body": return .body
        case "timestamp": return .timestamp
        case "id": return .id
        default:
            guard name.hasPrefix("header:") else { throw Self.refusal(place) }
            return .header(try HeaderName.read(String(name.dropFirst(7)), at: place))
        }
    }

    private static func refusal(_ place: String) -> InvalidValue {
        InvalidValue(
            place, "must hold {body} once; beside it there may be text, {timestamp}, {id} and {header:NAME}")
    }
}

enum HeaderName {
    /// Returns a header's name in lower case (RFC 9110 section 5.1: a token).
    static func read(_ text: String, at place: String) throws(InvalidValue) -> String {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy(Self.isOfToken) else {
            throw InvalidValue(place, "must be a header's name: letters, digits and '-'")
        }
        return text.lowercased()
    }

    /// RFC 9110 section 5.6.2.
    private static func isOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
