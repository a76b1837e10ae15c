// SPDX-License-Identifier: Apache-2.0
// A sender with a preset, as somebody may use it who means harm: it signs any bytes, at any time, with any secret.

import Crypto
import Foundation

/// A request as it goes out.
struct HostileRequest: Sendable {
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// Changes the value of the header.
    mutating func set(_ name: String, _ value: String) {
        for place in self.headers.indices where self.headers[place].name == name { self.headers[place].value = value }
    }
}

struct HostileSender: Sendable {
    enum Proof: Sendable {
        /// Standard Webhooks, with the headers of this family: `webhook` or `svix`.
        case standard(_ family: String)
        case bearer
        case header(_ name: String)
        /// The hexadecimal HMAC of the body.
        case hexadecimal(_ header: String)
        /// A list with a time in milliseconds.
        case list(_ header: String)
    }

    let preset: String
    let proof: Proof
    /// A sign-up for an organisation, with the placeholders `USER`, `ORG`, `ID` and `TIME`. Each stands for a JSON
    /// value, `ID` within a text.
    let template: String
    var contentType = "application/json"
    /// Whether the event's id holds the user's, so that another user is another event.
    var isUserInID = false
    /// Whether the sign-up is a membership alone, which a source with one tenant passes over.
    var isMembershipAlone = false
    /// The template of a request of several such sign-ups: `EVENTS` stands for them. Nil: there is no such request.
    var batch: String?

    /// 2026-11-23T11:59:30Z, half a minute before the service's clock, as text and in milliseconds.
    private static let times = (text: "\"2026-11-23T11:59:30Z\"", number: "1795435170000")

    // MARK: Secrets

    var secret: String { self.secret(of: 1) }
    var otherSecret: String { self.secret(of: 2) }

    private func secret(of number: UInt8) -> String {
        guard case .standard = self.proof else { return "made-up-secret-number-\(number)-of-a-sender" }
        return "whsec_\(Data(repeating: number, count: 32).base64EncodedString())"
    }

    // MARK: Bodies

    /// `user` and `organization` are JSON as they are to stand in the body.
    func body(user: String, organization: String, id: String, time: String? = nil) -> [UInt8] {
        Array(
            self.template.replacing("USER", with: user).replacing("ORG", with: organization).replacing("ID", with: id)
                .replacing("TIME_MS", with: Self.times.number).replacing("TIME", with: time ?? Self.times.text).utf8)
    }

    // MARK: Proofs

    /// Whether the proof covers the body.
    var coversBody: Bool {
        switch self.proof {
        case .standard, .hexadecimal, .list: true
        case .bearer, .header: false
        }
    }

    /// Seconds by which the signed time may be off. Nil: the proof has no time.
    var tolerance: TimeInterval? {
        switch self.proof {
        case .standard: 300
        case .list: 180
        case .bearer, .header, .hexadecimal: nil
        }
    }

    /// Returns a request with its proof. `id` counts where the proof covers one.
    func signed(
        _ body: [UInt8], id: String = "msg_1", at time: Date = SenderStoryTests.clock, secret: String? = nil
    ) -> HostileRequest {
        HostileRequest(
            headers: self.proofHeaders(body, id, time, secret ?? self.secret)
                + [(name: "content-type", value: self.contentType)], body: body)
    }

    /// The names of the headers that prove the sender.
    var proofNames: [String] { self.proofHeaders([], "", SenderStoryTests.clock, self.secret).map(\.name) }

    private func proofHeaders(
        _ body: [UInt8], _ id: String, _ time: Date, _ secret: String
    ) -> [(name: String, value: String)] {
        let seconds = Int64(time.timeIntervalSince1970)
        switch self.proof {
        case .standard(let family):
            let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))) ?? Data()
            let code = Self.code("\(id).\(seconds).", body, key)
            return [
                ("\(family)-id", id), ("\(family)-timestamp", "\(seconds)"),
                ("\(family)-signature", "v1,\(code.base64EncodedString())"),
            ]
        case .bearer: return [("authorization", "Bearer \(secret)")]
        case .header(let name): return [(name, secret)]
        case .hexadecimal(let name): return [(name, Self.hexadecimal(Self.code("", body, Data(secret.utf8))))]
        case .list(let name):
            let code = Self.hexadecimal(Self.code("\(seconds)000.", body, Data(secret.utf8)))
            return [(name, "t=\(seconds)000, v1=\(code)")]
        }
    }

    private static func code(_ start: String, _ body: [UInt8], _ key: Data) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: Array(start.utf8) + body, using: SymmetricKey(data: key)))
    }

    private static func hexadecimal(_ bytes: Data) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
