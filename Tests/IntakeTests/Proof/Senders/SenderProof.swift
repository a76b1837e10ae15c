// SPDX-License-Identifier: Apache-2.0
// The proof of each of the 27 senders whose payloads stand in the fixtures, as a source of theirs is configured.

import Model

@testable import Intake

struct SenderProof: Sendable {
    /// The sender's folder.
    let name: String
    let secrets: [String]

    private init(_ name: String, _ secrets: String...) {
        self.name = name
        self.secrets = secrets
    }

    /// The proofs of the sender's preset, or those of the configuration in `Fixtures/sources`.
    func configuration() throws -> String {
        guard case .array(let proofs)? = try SenderFolder(self.name).configuration().section["proofs"] else {
            throw InvalidValue("/proofs", "is needed")
        }
        return SenderFolder.text(proofs.count == 1 ? proofs[0] : .object([(key: "any", value: .array(proofs))]))
    }

    private static let firstSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    static let all = [
        SenderProof("auth0-events", "a0-stream-token-made-up-4f1c9d"),
        SenderProof("auth0-logs", "a0-stream-token-made-up-4f1c9d"), SenderProof("clerk", firstSecret),
        SenderProof("cloudevents", "made-up-ce-token-31"), SenderProof("cognito", firstSecret),
        SenderProof("convoy", "made-up-convoy-secret"),
        SenderProof("descope", "made-up-descope-bearer", "made-up-descope-hmac"), SenderProof("firebase"),
        SenderProof("frontegg", "made-up-frontegg-secret"),
        SenderProof("fusionauth", "made-up-fusionauth-hmac-key-of-32-bytes!"),
        SenderProof("github", "made-up-github-secret"),
        SenderProof("hookdeck", "made-up-hookdeck-secret-1", "made-up-hookdeck-secret-2"),
        SenderProof("keycloak", "made-up-kc-secret"), SenderProof("kinde"),
        SenderProof("kratos", "made-up-kratos-key-11"), SenderProof("logto", "made-up-logto-signing-key"),
        SenderProof("okta", "okta-made-up-secret-8d2e"), SenderProof("propelauth", firstSecret),
        SenderProof(
            "standard", firstSecret, "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw="),
        SenderProof("stripe", "whsec_madeUpStripe0001", "whsec_madeUpStripe0002"),
        SenderProof("stytch-b2b", firstSecret), SenderProof("stytch-consumer", firstSecret),
        SenderProof("supabase-db", "made-up-header-value-77aa"),
        SenderProof("supabase-hook", "v1,whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX"), SenderProof("svix", firstSecret),
        SenderProof("workos", "madeUpWorkosSecret0000000"), SenderProof("zitadel", "made-up-zitadel-signing-key"),
    ]
}
