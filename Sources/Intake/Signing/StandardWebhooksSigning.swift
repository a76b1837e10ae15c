// SPDX-License-Identifier: Apache-2.0
// Signs as Standard Webhooks does with a shared secret (`v1`).

import Crypto
import Foundation
import Model

struct StandardWebhooksSigning: Signing {
    private let key: Secret<SymmetricKey>
    private let tolerance: Int64

    /// Of a list of secrets the first shared one signs.
    init(_ secret: Secret<String>, tolerance: Int64) throws(InvalidValue) {
        let keys = try StandardWebhooksSecret.keys(in: secret.reveal())
        for case .symmetric(let key) in keys {
            (self.key, self.tolerance) = (Secret(key), tolerance)
            return
        }
        throw InvalidValue(
            "the secret", "is a public key (whpk_): only the sender has the private key that signs (v1a)")
    }

    var secondsUntilStale: Int64? { self.tolerance }

    func sign(_ draft: DeliveryDraft, at time: Date) -> SignedDelivery {
        let stamp = Int64(time.timeIntervalSince1970.rounded(.down))
        let signature = StandardWebhooksProof.sign(
            id: draft.id, timestamp: stamp, body: draft.body, key: self.key.reveal())
        let prefix = draft.headerPrefix
        let headers = [
            (name: "\(prefix)-id", value: draft.id), (name: "\(prefix)-timestamp", value: "\(stamp)"),
            (name: "\(prefix)-signature", value: signature),
        ]
        return SignedDelivery(headers: draft.headers + headers, body: draft.body)
    }
}
