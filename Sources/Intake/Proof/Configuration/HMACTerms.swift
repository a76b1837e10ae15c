// SPDX-License-Identifier: Apache-2.0
// How a sender signs with a shared secret: the terms of an HMAC proof as a configuration gives them.

import Model

/// `{"kind": "hmac", …}`. The secret's text is the key, as it is.
///
/// - `hash`: `sha256` or `sha512`.
/// - `encoding`: `hex` (in either case) or `base64`.
/// - `header`: where the signature stands. Of a list of names exactly one may be there.
/// - `prefix`: text in front of the signature, such as `sha256=`.
/// - `key`: the header is a list such as `t=1700000000,v1=…`, and the signatures stand under this key.
/// - `timestamp`: `{"key": "t"}` in that list, or `{"header": NAME}`; with `unit` (`s` or `ms`), `tolerance` (seconds)
///   and `ahead` (seconds, or `"any"`; otherwise as `tolerance`).
/// - `id`: the header with the delivery's id.
/// - `content`: what is signed (`ContentTemplate`). Without it the body.
struct HMACTerms: Sendable, Equatable {
    enum Hash: String, Sendable, CaseIterable {
        case sha256, sha512
        var byteCount: Int { self == .sha256 ? 32 : 64 }
    }

    enum Encoding: String, Sendable, CaseIterable { case hex, base64 }

    struct Timestamp: Sendable, Equatable {
        enum Place: Sendable, Equatable {
            case key(String)
            case header(String)
        }

        var place: Place
        var unit: SentTime.Unit
        /// In seconds.
        var tolerance: Int64
        /// In seconds. Nil: any later time passes.
        var ahead: Int64?
    }

    var hash: Hash
    var encoding: Encoding
    var headers: [String]
    var prefix: String?
    var key: String?
    var timestamp: Timestamp?
    var id: String?
    var content: ContentTemplate
    /// Texts that stand behind a time in other proofs of the source (`ProofConfiguration.apart`). A body that begins
    /// with digits and one of them is refused.
    var timedTexts: [[UInt8]] = []

    private static let known = [
        "kind", "hash", "encoding", "header", "prefix", "key", "timestamp", "id", "content",
    ]
    private static let knownOfTimestamp = ["key", "header", "unit", "tolerance", "ahead"]

    init(_ value: JSONValue, at place: String) throws(InvalidValue) {
        let fields = try ConfigurationFields(value, at: place, known: Self.known)
        self.hash = try fields.needed("hash", try fields.choice("hash"))
        self.encoding = try fields.needed("encoding", try fields.choice("encoding"))
        self.headers = try fields.needed("header", try fields.headerNames("header"))
        self.prefix = try fields.text("prefix")
        self.key = try fields.text("key")
        self.timestamp = try fields.value("timestamp").map { (value) throws(InvalidValue) in
            try Self.timestamp(value, at: fields.place(of: "timestamp"))
        }
        self.id = try fields.headerName("id")
        self.content =
            try fields.text("content").map { (text) throws(InvalidValue) in
                try ContentTemplate(text, at: fields.place(of: "content"))
            } ?? .body
        try self.requireSense(fields)
    }

    private static func timestamp(_ value: JSONValue, at place: String) throws(InvalidValue) -> Timestamp {
        let fields = try ConfigurationFields(value, at: place, known: Self.knownOfTimestamp)
        let timePlace: Timestamp.Place
        switch (try fields.text("key"), try fields.headerName("header")) {
        case (let key?, nil): timePlace = .key(key)
        case (nil, let header?): timePlace = .header(header)
        default: throw InvalidValue(place, "must name either a key of the signature's list or a header")
        }
        let tolerance = try fields.needed("tolerance", try fields.seconds("tolerance", 1...86_400))
        let ahead: Int64?
        if case .string("any") = fields.value("ahead") {
            ahead = nil
        } else {
            ahead = try fields.seconds("ahead", 0...86_400) ?? tolerance
        }
        return Timestamp(
            place: timePlace, unit: try fields.needed("unit", try fields.choice("unit")), tolerance: tolerance,
            ahead: ahead)
    }

    /// A time or an id that is not signed would be anybody's.
    private func requireSense(_ fields: ConfigurationFields) throws(InvalidValue) {
        if self.prefix != nil && self.key != nil {
            throw fields.error("prefix", "does not go with key: a list has its keys instead")
        }
        if case .key = self.timestamp?.place, self.key == nil {
            throw fields.error("timestamp", "stands under a key, so key must say where the signatures are")
        }
        if (self.timestamp != nil) != self.content.pieces.contains(.timestamp) {
            throw fields.error("content", "must hold {timestamp} exactly when timestamp is given")
        }
        if (self.id != nil) != self.content.pieces.contains(.id) {
            throw fields.error("content", "must hold {id} exactly when id is given")
        }
        if let timestamp = self.timestamp, timestamp.ahead == nil, self.content.needsBoundedTime {
            throw fields.error("content", "must have text that is no digit behind {timestamp}, as ahead is any")
        }
    }
}
