// SPDX-License-Identifier: Apache-2.0
// Bodies with a genuine proof that no sender means: what each comes to at a preset, and what the canonical sender hears.

import Foundation
import Model

struct GarbageBody: Sendable {
    /// What the body comes to at a sender with a mapping.
    enum End: Sendable {
        case accepted, quarantined, ignored
        /// The answer comes before the proof.
        case refused(Int)
    }

    let name: String
    /// Nil: the sender has no such body.
    let bytes: @Sendable (_ desk: HostileDesk, _ user: String) -> [UInt8]?
    var end = End.quarantined
    /// The status for the canonical sender.
    let canonical: Int
    /// Nil: the sender's own.
    var contentType: String?

    /// A sign-up with this JSON as its user's id.
    private static func user(_ name: String, _ json: String, canonical: Int) -> GarbageBody {
        GarbageBody(name: name, bytes: { desk, user in desk.body(user: json, id: user) }, canonical: canonical)
    }

    /// Bytes that are the same for every sender.
    private static func text(_ name: String, _ text: String, _ end: End = .quarantined) -> GarbageBody {
        GarbageBody(name: name, bytes: { _, _ in Array(text.utf8) }, end: end, canonical: 400)
    }

    /// A genuine sign-up, changed.
    private static func changed(
        _ name: String, _ end: End = .quarantined, canonical: Int = 400, contentType: String? = nil,
        _ change: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> GarbageBody {
        GarbageBody(
            name: name, bytes: { desk, user in change(desk.body(user: "\"\(user)\"", id: user)) }, end: end,
            canonical: canonical, contentType: contentType)
    }

    static let all = noJSON + users + structures + sizes

    private static let noJSON = [
        text("no JSON", "nonsense"), text("empty", ""), text("a blank", " \n"), text("HTML", "<html></html>"),
        text("a form", "user_id=u&type=user.created"), text("a mark alone", "\u{FEFF}"), text("a brace", "{"),
        changed("truncated") { Array($0.dropLast(5)) },
        changed("truncated in the middle") { Array($0.prefix($0.count / 2)) },
        changed("with a byte order mark") { [0xEF, 0xBB, 0xBF] + $0 },
        changed("with something behind it") { $0 + Array("]".utf8) },
        changed("twice in one line") { $0 + [0x20] + $0 },
        changed("in UTF-16") { $0.flatMap { [$0, 0] } },
        changed("with a NUL at its end") { $0 + [0] }, changed("with a NUL at its start") { [0] + $0 },
    ]

    private static let users = [
        user("an escaped NUL", #""u\u0000""#, canonical: 400), user("a raw NUL", "\"u\u{0}\"", canonical: 400),
        user("a lone high surrogate", #""u\ud83d""#, canonical: 400),
        user("a lone low surrogate", #""u\udc00""#, canonical: 400),
        user("surrogates in the wrong order", #""\udc00\ud83d""#, canonical: 400),
        user("a raw line break", "\"u\n\"", canonical: 400), user("an unknown escape", #""\x41""#, canonical: 400),
        user("a control character", #""u\u0007""#, canonical: 422), user("an empty text", "\"\"", canonical: 422),
        user("null", "null", canonical: 422), user("true", "true", canonical: 422),
        user("a huge number", "1e999999", canonical: 422),
        user("an integer of 300 digits", String(repeating: "9", count: 300), canonical: 422),
        user("a fraction", "1.5", canonical: 422), user("not a number", "NaN", canonical: 422),
        user("a list", "[\"u\"]", canonical: 422), user("an object", #"{"u":"u"}"#, canonical: 422),
        user("256 bytes", "\"\(String(repeating: "u", count: 256))\"", canonical: 422),
        user(
            "lists that are 100 deep", String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
            canonical: 422),
    ]

    private static let structures = [
        changed("invalid UTF-8 in the user") { Self.inserted([0xFF], beforeUserIn: $0) },
        changed("an overlong NUL in the user") { Self.inserted([0xC0, 0x80], beforeUserIn: $0) },
        changed("a surrogate as UTF-8 in the user") { Self.inserted([0xED, 0xA0, 0x80], beforeUserIn: $0) },
        changed("the user twice") { Self.doubled($0) },
        changed("a member that nobody reads, 100 deep", .accepted, canonical: 202) {
            Self.withMember(String(repeating: #"{"a":["#, count: 50) + String(repeating: "]}", count: 50), $0)
        },
        changed("a member that nobody reads, a huge number", .accepted, canonical: 202) {
            Self.withMember("-1e999999", $0)
        },
        changed("another content type", .accepted, canonical: 202, contentType: "text/plain") { $0 },
        changed("a form's content type", .accepted, canonical: 202, contentType: "application/x-www-form-urlencoded") {
            $0
        },
    ]

    private static let sizes = [
        GarbageBody(name: "10,001 events", bytes: { desk, _ in desk.batch(of: 10_001) }, canonical: 422),
        changed("more than 1 MiB", .refused(413), canonical: 413) {
            $0 + [UInt8](repeating: 0x20, count: 1 << 20)
        },
    ]

    /// Puts bytes into the text of the user's id, which begins with `u-`.
    private static func inserted(_ bytes: [UInt8], beforeUserIn body: [UInt8]) -> [UInt8] {
        guard let place = body.firstRange(of: Array("\"u-".utf8))?.lowerBound else { return [] }
        return Array(body[...place]) + bytes + Array(body[(place + 1)...])
    }

    /// Repeats the member that holds the user's id.
    private static func doubled(_ body: [UInt8]) -> [UInt8] {
        Array(String(decoding: body, as: UTF8.self).replacing(#/"\w+":"u-[^"]*"/#) { "\($0.output),\($0.output)" }.utf8)
    }

    private static func withMember(_ value: String, _ body: [UInt8]) -> [UInt8] {
        Array("{\"zzz\":\(value),".utf8) + body.dropFirst()
    }
}

extension HostileDesk {
    /// Returns a request of so many sign-ups. Nil: the sender has no such request.
    func batch(of count: Int) -> [UInt8]? {
        guard let batch = self.sender.batch else { return nil }
        return Array(batch.replacing("EVENTS", with: Array(repeating: "{}", count: count).joined(separator: ",")).utf8)
    }
}
