// SPDX-License-Identifier: Apache-2.0
// Which headers prove a sender: what stands in them is never kept and never shown.

extension ProofConfiguration {
    /// Headers with a signature, a token or a secret, in lower case. Those of other proofs than the source's own are
    /// among them too: a sender may send more than is asked for.
    var secretHeaders: Set<String> {
        self.terms.reduce(into: Self.alwaysSecret) { names, terms in
            switch terms {
            case .standardWebhooks: break
            case .hmac(let terms): names.formUnion(terms.headers.map { $0.lowercased() })
            case .token(let terms):
                if case .header(let name, _) = terms.place { names.insert(name.lowercased()) }
            case .header(let terms):
                if case .value(let name) = terms.form { names.insert(name.lowercased()) }
            }
        }
    }

    private static let alwaysSecret: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "webhook-signature", "svix-signature",
    ]
}
