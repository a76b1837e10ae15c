// SPDX-License-Identifier: Apache-2.0
// Whether an old delivery of a source is refused by its age alone, however it was got hold of.

extension ProofConfiguration {
    /// Whether every proof signs a time that must be near ours on both sides. One proof without it is enough to replay.
    ///
    /// A token has an end that its sender chooses, maybe years ahead. A secret in a header says nothing of the time.
    var signsTime: Bool {
        self.terms.allSatisfy { terms in
            switch terms {
            case .standardWebhooks: true
            case .hmac(let terms): terms.timestamp?.ahead != nil
            case .token, .header: false
            }
        }
    }
}
