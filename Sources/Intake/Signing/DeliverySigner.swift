// SPDX-License-Identifier: Apache-2.0
// Signs a delivery as its sender does: the inverse of `DeliveryProof`, for `dialtone send` and for tests.

package import Foundation
package import Model

/// A delivery that is not signed yet. `id` goes into a header where the proof has one for it.
package struct DeliveryDraft: Sendable {
    package var id: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// What the names of Standard Webhooks' headers begin with at this sender: `webhook`, or the older `svix`.
    package var headerPrefix = Self.standardPrefix

    package static let standardPrefix = "webhook"

    package init(id: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.id = id
        self.headers = headers
        self.body = body
    }
}

/// A delivery as it is sent. A token may be the body, or stand in it.
package struct SignedDelivery: Sendable {
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
}

/// One way to sign. The error names what the delivery lacks.
protocol Signing: Sendable {
    /// A time that lies more seconds back is refused. Nil: the sender signs no time.
    var secondsUntilStale: Int64? { get }
    /// Whether the delivery holds the secret itself, so that whoever reads it has the secret.
    var showsSecret: Bool { get }

    func sign(_ draft: DeliveryDraft, at time: Date) throws(InvalidValue) -> SignedDelivery
}

extension Signing {
    var showsSecret: Bool { false }
}

package struct DeliverySigner: Sendable {
    private let terms: ProofConfiguration.Terms
    private let signing: any Signing

    /// Takes the first proof that can be signed for with a shared secret. The error says why there is none.
    package init(_ proofs: ProofConfiguration, secret: Secret<String>?) throws(InvalidValue) {
        guard proofs.needsSecret else { throw Self.privateKey }
        guard let secret, !secret.reveal().isEmpty else {
            throw InvalidValue("the source's secret", "is needed to sign")
        }
        try proofs.requireUse(of: secret.reveal())
        var refusal: InvalidValue?
        for terms in proofs.terms {
            do {
                try self.init(terms, secret)
                return
            } catch { refusal = refusal ?? error }
        }
        throw refusal ?? Self.privateKey
    }

    private init(_ terms: ProofConfiguration.Terms, _ secret: Secret<String>) throws(InvalidValue) {
        self.terms = terms
        if case .standardWebhooks(let tolerance) = terms {
            self.signing = try StandardWebhooksSigning(secret, tolerance: tolerance)
            return
        }
        guard PublicKeyForm(in: secret.reveal()) == nil else { throw Self.privateKey }
        switch terms {
        case .hmac(let terms): self.signing = HMACSigning(terms, secret)
        case .header(let terms): self.signing = HeaderSigning(form: terms.form, secret: secret)
        case .token(let terms) where terms.keys == .secrets: self.signing = TokenSigning(terms, secret)
        case .token, .standardWebhooks: throw Self.privateKey
        }
    }

    static let privateKey = InvalidValue(
        "the proof", "is signed with a private key that only the sender has: nobody else can sign for it")

    /// Whether a delivery holds the secret itself. Such a delivery must not go in clear text over a network.
    package var showsSecret: Bool { self.signing.showsSecret }

    /// The delivery as it is sent. `time` is the time of the signature.
    package func sign(_ draft: DeliveryDraft, at time: Date) throws(InvalidValue) -> SignedDelivery {
        try self.signing.sign(draft, at: time)
    }

    /// Returns a time of the signature that is too old at `now`; nil where the sender signs no time.
    package func staleTime(at now: Date) -> Date? {
        self.signing.secondsUntilStale.map { now - TimeInterval($0 + 60) }
    }

    /// Returns a signer that signs in the same way with a secret that nobody knows.
    package func forging() throws(InvalidValue) -> DeliverySigner {
        let bytes = Data(NewSecret.bytes(32)).base64EncodedString()
        return try DeliverySigner(self.terms, Secret("whsec_\(bytes)"))
    }
}
