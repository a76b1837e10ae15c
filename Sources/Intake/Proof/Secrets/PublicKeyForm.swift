// SPDX-License-Identifier: Apache-2.0
// Finds a public key where a secret belongs: everybody knows it, so everybody could sign with it.

import Model

/// How a public key is written that somebody took for a secret.
enum PublicKeyForm {
    /// `whpk_…`, alone or in a list. Standard Webhooks takes it as what it is.
    case standardWebhooks
    /// RFC 7468. That of a private key is none to be copied either.
    case pem
    /// RFC 7517, alone or in a set.
    case jwk

    /// Nil where the text holds none. The marks count anywhere in it, as no secret holds one by chance.
    init?(in text: String) {
        let text = text.lowercased()
        if text.contains("-----begin") {
            self = .pem
        } else if text.contains("\"kty\"") {
            self = .jwk
        } else if text.contains("whpk_") {
            self = .standardWebhooks
        } else {
            return nil
        }
    }
}

extension ProofConfiguration {
    /// Throws where no proof of the source can use the secret, or where it is a public key that would count as one.
    func requireUse(of secret: String) throws(InvalidValue) {
        let form = PublicKeyForm(in: secret)
        switch form {
        case .pem:
            throw InvalidValue("secret", "must not be a key in PEM; a public key stands in the proof as public_key")
        case .jwk:
            throw InvalidValue("secret", "must not be a JSON Web Key; published keys stand in the proof as jwks")
        case .standardWebhooks where self.needsSecret && !self.takesStandardWebhooks:
            throw InvalidValue("secret", "must not be a public key (whpk_): this source's proofs need a shared secret")
        case .standardWebhooks, nil: break
        }
        guard self.needsSecret, form != nil || !self.takesText else { return }
        _ = try StandardWebhooksSecret.keys(in: secret)
    }
}
