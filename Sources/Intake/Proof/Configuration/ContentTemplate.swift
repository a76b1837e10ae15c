// SPDX-License-Identifier: Apache-2.0
// What a sender signs, written as a template over the raw bytes of its delivery.

import Model

/// `{body}` once, and around it plain text, `{timestamp}`, `{id}` and `{header:NAME}`: Stripe signs
/// `{timestamp}.{body}`. Nothing is decoded, so the bytes are those that the sender has signed.
///
/// One signature must not fit two ways to part its content. So there is text between two placeholders, apart from
/// `{timestamp}{body}`: a digit more or less makes another time, which is not near now.
struct ContentTemplate: Sendable, Equatable {
    enum Piece: Sendable, Equatable {
        case text([UInt8])
        case timestamp, id, body
        case header(String)

        var isText: Bool {
            if case .text = self { true } else { false }
        }
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
        for (first, second) in zip(pieces, pieces.dropFirst()) where !first.isText && !second.isText {
            guard (first, second) == (.timestamp, .body) else {
                throw InvalidValue(place, "must have text between two placeholders, apart from {timestamp}{body}")
            }
        }
        self.pieces = pieces
        // Zeros in front of a time leave it the same.
        guard !self.hasTimeAtDigits(isBeforeBody: false) else {
            throw InvalidValue(place, "must have text that is no digit between {body} and {timestamp}")
        }
    }

    /// Whether only the tolerance says where the time ends, as digits may follow it.
    var needsBoundedTime: Bool { self.hasTimeAtDigits(isBeforeBody: true) }

    private func hasTimeAtDigits(isBeforeBody: Bool) -> Bool {
        self.pieces.indices.contains { place in
            self.pieces[place] == .timestamp && self.isBeforeBody(place) == isBeforeBody
                && self.border(of: place)?.allSatisfy(SentTime.isDigit) == true
        }
    }

    /// Returns whether a value can stand for the placeholder at `place`: with it, the content is parted in one way.
    ///
    /// Read from the left, a value before the body ends where the text behind it begins first. Read from the right, one
    /// behind the body ends where the text in front of it begins last.
    func canPart(_ value: [UInt8], at place: Int) -> Bool {
        guard let text = self.border(of: place) else { return true }
        if self.isBeforeBody(place) {
            let joined = value + text
            return joined.indices.first { joined[$0...].starts(with: text) } == value.count
        }
        let joined = text + value
        return joined.indices.last { joined[$0...].starts(with: text) } == 0
    }

    private func isBeforeBody(_ place: Int) -> Bool { !self.pieces[..<place].contains(.body) }

    /// The text between a placeholder and what stands nearer to the body; empty where there is none. Nil for the body
    /// and for text.
    private func border(of place: Int) -> [UInt8]? {
        if self.pieces[place] == .body || self.pieces[place].isText { return nil }
        let next = self.isBeforeBody(place) ? place + 1 : place - 1
        guard case .text(let text) = self.pieces[next] else { return [] }
        return text
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
