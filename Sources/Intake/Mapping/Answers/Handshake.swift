// SPDX-License-Identifier: Apache-2.0
// Answers the request by which a sender finds out whether a hook is there, before it sends anything.

import Model

/// Okta sends a GET with a challenge, CloudEvents an OPTIONS with its origin (http-webhook.md, section 4).
package struct Handshake: Sendable, Equatable {
    /// A header of the request that is given back.
    struct Echo: Sendable, Equatable {
        enum Target: Sendable, Equatable {
            case header(String)
            /// A member of the answer's JSON object.
            case member(String)
        }

        let header: String
        let isRequired: Bool
        let target: Target
    }

    package let method: String
    /// Whether the proof must hold, as for a delivery. Nothing is given back to a stranger otherwise.
    package let needsProof: Bool
    let status: Int
    let headers: [(name: String, value: String)]
    let echoes: [Echo]

    package static func == (lhs: Self, rhs: Self) -> Bool {
        lhs.method == rhs.method && lhs.needsProof == rhs.needsProof && lhs.status == rhs.status
            && lhs.echoes == rhs.echoes && lhs.headers.elementsEqual(rhs.headers, by: ==)
    }

    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(name: String, value: String)] = []
        package var body: String?
    }

    /// Bytes of a value that is given back.
    static let maximumEcho = 1024

    /// Returns the answer to a handshake: 400 where a header that it needs is missing, repeated, too long, or has a
    /// character that is not printable ASCII. A line break must never come back.
    package func answer(_ headers: (String) -> [String]) -> Answer {
        var answer = Answer(status: self.status, headers: self.headers)
        var members: [String] = []
        for echo in self.echoes {
            let values = headers(echo.header)
            if values.isEmpty && !echo.isRequired { continue }
            guard values.count == 1, let value = values.first, Self.isPrintable(value) else {
                return Answer(status: 400)
            }
            switch echo.target {
            case .header(let name): answer.headers.append((name, value))
            case .member(let name): members.append("\(JSONText.quoted(name)):\(JSONText.quoted(value))")
            }
        }
        if !members.isEmpty {
            answer.headers.append(("content-type", "application/json"))
            answer.body = "{\(members.joined(separator: ","))}"
        }
        return answer
    }

    private static func isPrintable(_ value: String) -> Bool {
        (1...Self.maximumEcho).contains(value.utf8.count) && value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
