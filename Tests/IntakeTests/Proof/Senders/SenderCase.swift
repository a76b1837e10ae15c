// SPDX-License-Identifier: Apache-2.0
// The cases of a sender's `expected.json`, as far as they are about its proof.

import Foundation
import Testing

struct SenderCase: Sendable, CustomTestStringConvertible {
    let sender: String
    let file: String
    let number: Int
    let headers: [String: String]
    let isProven: Bool
    /// That of a vector that the sender has published.
    let ownSecret: String?
    /// In Unix seconds.
    let clock: TimeInterval
    /// That of all cases without one of their own.
    static let usualClock: TimeInterval = 1_795_435_200

    var testDescription: String { "\(self.sender) \(self.number): \(self.file)" }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/senders")

    static func file(_ name: String, of sender: String) throws -> [UInt8] {
        Array(try Data(contentsOf: Self.folder.appending(path: "\(sender)/\(name)")))
    }

    /// The delivery's bytes. A request without a body (a handshake) stands in a `.http` file.
    func body() throws -> [UInt8] {
        self.file.hasSuffix(".http") ? [] : try Self.file(self.file, of: self.sender)
    }

    private struct Expected: Decodable {
        struct Case: Decodable {
            struct KnownAnswer: Decodable {
                let secret: String
                let clock: TimeInterval?
            }

            let file: String
            let method: String?
            let headers: [String: String]
            let proof: String
            let known_answer: KnownAnswer?
        }

        let cases: [Case]
    }

    /// Returns the cases of a sender. One whose method is OPTIONS is a handshake, which proves nobody.
    static func all(of sender: String) throws -> [SenderCase] {
        let expected = try JSONDecoder().decode(Expected.self, from: Data(try Self.file("expected.json", of: sender)))
        return expected.cases.enumerated().filter { $0.element.method != "OPTIONS" }.map { number, one in
            SenderCase(
                sender: sender, file: one.file, number: number, headers: one.headers, isProven: one.proof == "ok",
                ownSecret: one.known_answer?.secret, clock: one.known_answer?.clock ?? Self.usualClock)
        }
    }

    /// Whether the header with the proof holds the secret itself.
    var showsSecret: Bool {
        switch self.sender {
        case "auth0-events", "auth0-logs", "cloudevents", "kratos", "okta", "supabase-db", "frontegg": true
        case "descope": self.headers["authorization"] != nil
        default: false
        }
    }

    /// Whether the proof has a time and covers it, apart from tokens.
    var coversTime: Bool {
        self.headers.contains { name, value in name.hasSuffix("-timestamp") || value.hasPrefix("t=") }
            && self.sender != "hookdeck"
    }
}
