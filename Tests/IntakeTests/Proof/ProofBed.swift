// SPDX-License-Identifier: Apache-2.0
// A source's proof from its configuration in JSON, for tests.

import Foundation
import Model

@testable import Intake

struct ProofBed: Sendable {
    let proof: DeliveryProof

    /// `keySet` is what every address of keys answers. It is read at `readAt`, in Unix seconds.
    init(
        _ configuration: String, secrets: [ProofSecret], keySet: String? = nil, readAt: TimeInterval = 1_700_000_000
    ) async throws {
        let caches = JWKSCaches { _, _ in
            guard let keySet else { throw NoAnswer() }
            return Array(keySet.utf8)
        }
        self.proof = try DeliveryProof(
            try ProofConfiguration(try JSONValue(parsing: Array(configuration.utf8))), secrets: secrets, keys: caches)
        if keySet != nil { await self.proof.refreshKeys(now: Date(timeIntervalSince1970: readAt)) }
    }

    init(
        _ configuration: String, secret: String, keySet: String? = nil, readAt: TimeInterval = 1_700_000_000
    ) async throws {
        try await self.init(configuration, secrets: [Self.secret(secret)], keySet: keySet, readAt: readAt)
    }

    static func secret(_ text: String, notAfter: Date? = nil) -> ProofSecret {
        ProofSecret(id: UUID(), text: Secret(text), notAfter: notAfter)
    }

    func verify(_ headers: [String: [String]], body: [UInt8], now: TimeInterval) throws(ProofFailure) -> Proven {
        try self.proof.verify(
            headers: { headers[$0] ?? [] }, body: body, now: Date(timeIntervalSince1970: now))
    }

    /// Returns why a delivery is refused; nil when it is proven.
    func refusal(_ headers: [String: [String]], body: [UInt8], now: TimeInterval) -> ProofFailure.Kind? {
        do {
            _ = try self.verify(headers, body: body, now: now)
            return nil
        } catch {
            return error.kind
        }
    }
}

struct NoAnswer: Error {}
