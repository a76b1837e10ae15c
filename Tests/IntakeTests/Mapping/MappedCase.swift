// SPDX-License-Identifier: Apache-2.0
// One request of a sender, and what its items must come to.

import Foundation
import Model

@testable import Intake

struct MappedCase {
    /// 2026-11-23T12:00:00Z, at which the senders' payloads are fresh.
    static let clock = Date(timeIntervalSince1970: 1_795_435_200)

    let json: JSONValue
    let name: String
    let body: [UInt8]

    init(_ json: JSONValue, _ name: String, body: [UInt8]) {
        self.json = json
        self.name = "\(name) \(json["file"]?.string ?? "")"
        self.body = body
    }

    var isProven: Bool { self.json["proof"] == .string("ok") }
    /// Another method than POST is a handshake.
    var method: String { self.json["method"]?.string ?? "POST" }

    func headers(_ name: String) -> [String] {
        guard case .object(let members)? = self.json["headers"] else { return [] }
        return members.filter { $0.key.lowercased() == name }.compactMap(\.value.string)
    }

    var request: ProvenRequest {
        let json = self.json
        let headers: @Sendable (String) -> [String] = { name in
            guard case .object(let members)? = json["headers"] else { return [] }
            return members.filter { $0.key.lowercased() == name }.compactMap(\.value.string)
        }
        return ProvenRequest(headers: headers, body: self.body, receivedAt: Self.clock)
    }

    /// What the items must come to, in their order.
    static func outcomes(_ expected: JSONValue?) -> [JSONValue] {
        guard case .array(let outcomes)? = expected else { return expected.map { [$0] } ?? [] }
        return outcomes
    }
}
