// SPDX-License-Identifier: Apache-2.0
// How a source proves its sender, as its configuration says it in JSON. It holds no secret.

package import Model

/// One proof, or several of which one must hold: `{"any": [{…}, {…}]}`. Each is an object with a `kind`:
///
/// - `{"kind": "standard-webhooks"}`: `webhook-id`, `-timestamp` and `-signature`, or their `svix-` names; with
///   `tolerance` in seconds (300).
/// - `{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-hub-signature-256", "prefix": "sha256="}`:
///   see `HMACTerms`.
/// - `{"kind": "jwt", "header": "authorization", "scheme": "Bearer", "algorithms": ["RS256"], "jwks": "https://…", …}`:
///   see `TokenTerms`.
/// - `{"kind": "header", "header": "x-key"}`, `{"kind": "bearer"}`, `{"kind": "basic", "user": "dialtone"}`: see
///   `HeaderTerms`.
///
/// Two equal proofs are refused. So are two that one signature could serve in two ways (`apart`).
///
/// There is no proof that lets everybody pass. A key that is not known is an error, which names the nearest one.
package struct ProofConfiguration: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case standardWebhooks = "standard-webhooks"
        case hmac, jwt, header, bearer, basic
    }

    enum Terms: Sendable, Equatable {
        /// With the tolerance in seconds.
        case standardWebhooks(tolerance: Int64)
        case hmac(HMACTerms)
        case token(TokenTerms)
        case header(HeaderTerms)
    }

    /// One match is enough. They are tried in this order.
    let terms: [Terms]

    static let maximumProofs = 8

    /// The proof of the standard sender.
    package static let standard = ProofConfiguration(
        terms: [.standardWebhooks(tolerance: StandardWebhooksProof.tolerance)])

    private init(terms: [Terms]) { self.terms = terms }

    /// Reads the value that stands at `place` of a configuration. The error names the place, and never a value.
    package init(_ value: JSONValue, at place: String = "proof") throws(InvalidValue) {
        guard value["any"] != nil else {
            self.terms = [try Self.terms(value, at: place)]
            return
        }
        let fields = try ConfigurationFields(value, at: place, known: ["any"])
        guard case .array(let elements) = fields.value("any"), (1...Self.maximumProofs).contains(elements.count)
        else { throw fields.error("any", "must be a list of 1 to \(Self.maximumProofs) proofs") }
        var terms: [Terms] = []
        for (number, element) in elements.enumerated() {
            terms.append(try Self.terms(element, at: "\(place).any[\(number)]"))
        }
        self.terms = try Self.apart(terms, fields)
    }

    private static func terms(_ value: JSONValue, at place: String) throws(InvalidValue) -> Terms {
        guard case .object = value else { throw InvalidValue(place, "must be an object") }
        guard let name = value["kind"]?.string, let kind = Kind(rawValue: name) else {
            throw InvalidValue(
                "\(place).kind", "must be one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        switch kind {
        case .standardWebhooks:
            let fields = try ConfigurationFields(value, at: place, known: ["kind", "tolerance"])
            return .standardWebhooks(
                tolerance: try fields.seconds("tolerance", 1...86_400) ?? StandardWebhooksProof.tolerance)
        case .hmac: return .hmac(try HMACTerms(value, at: place))
        case .jwt: return .token(try TokenTerms(value, at: place))
        case .header, .bearer, .basic: return .header(try HeaderTerms(value, kind: kind, at: place))
        }
    }

    /// Whether a secret of the sender is needed. A proof by published keys needs none.
    package var needsSecret: Bool {
        self.terms.contains { terms in
            if case .token(let terms) = terms { terms.keys == .secrets } else { true }
        }
    }

    /// Whether a proof takes a secret as it is written. Standard Webhooks does not.
    var takesText: Bool {
        self.terms.contains { terms in
            switch terms {
            case .standardWebhooks: false
            case .hmac, .header: true
            case .token(let terms): terms.keys == .secrets
            }
        }
    }

    var takesStandardWebhooks: Bool {
        self.terms.contains { terms in
            if case .standardWebhooks = terms { true } else { false }
        }
    }

    /// Where keys are fetched from, each address once.
    package var keyAddresses: [JWKSAddress] {
        var addresses: [JWKSAddress] = []
        for case .token(let terms) in self.terms {
            guard case .published(let address) = terms.keys, !addresses.contains(address) else { continue }
            addresses.append(address)
        }
        return addresses
    }
}
