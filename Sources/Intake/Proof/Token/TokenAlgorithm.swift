// SPDX-License-Identifier: Apache-2.0
// The algorithms by which a token may be signed: a closed list, of which a source's configuration names some.

import Crypto
import CryptoExtras
import Foundation
import Model

/// The names of RFC 7518 section 3.1 and RFC 8037 section 3.1. `none` is not among them.
enum TokenAlgorithm: String, Sendable, CaseIterable {
    case hs256 = "HS256", hs384 = "HS384", hs512 = "HS512"
    case rs256 = "RS256", rs384 = "RS384", rs512 = "RS512"
    case ps256 = "PS256", ps384 = "PS384", ps512 = "PS512"
    case es256 = "ES256", es384 = "ES384"
    case edDSA = "EdDSA"

    /// The kind of key that an algorithm takes. A key of another kind never verifies, so a public key cannot serve as
    /// the secret of an HMAC.
    enum Family: Sendable, Equatable { case hmac, rsa, p256, p384, ed25519 }

    var family: Family {
        switch self {
        case .hs256, .hs384, .hs512: .hmac
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .p256
        case .es384: .p384
        case .edDSA: .ed25519
        }
    }

    fileprivate var padding: _RSA.Signing.Padding {
        switch self {
        case .ps256, .ps384, .ps512: .PSS
        default: .insecurePKCS1v1_5
        }
    }
}

/// A key that checks signatures, made once when it is read.
enum VerificationKey: Sendable {
    case hmac(Secret<SymmetricKey>)
    case rsa(_RSA.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)

    var family: TokenAlgorithm.Family {
        switch self {
        case .hmac: .hmac
        case .rsa: .rsa
        case .p256: .p256
        case .p384: .p384
        case .ed25519: .ed25519
        }
    }

    /// Returns whether the signature is the key's. False where the algorithm takes another kind of key.
    func isValid(_ signature: [UInt8], of message: ArraySlice<UInt8>, by algorithm: TokenAlgorithm) -> Bool {
        guard self.family == algorithm.family else { return false }
        switch self {
        case .hmac(let secret):
            // Comparing an authentication code takes constant time.
            let key = secret.reveal()
            switch algorithm {
            case .hs256: return HMAC<SHA256>.authenticationCode(for: message, using: key) == signature
            case .hs384: return HMAC<SHA384>.authenticationCode(for: message, using: key) == signature
            default: return HMAC<SHA512>.authenticationCode(for: message, using: key) == signature
            }
        case .rsa(let key): return Self.isValid(signature, of: message, key, algorithm)
        case .p256(let key):
            // RFC 7518 section 3.4: the two numbers behind one another, and not DER.
            return (try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: message)
            } ?? false
        case .p384(let key):
            return (try? P384.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: message)
            } ?? false
        case .ed25519(let key): return key.isValidSignature(signature, for: message)
        }
    }

    private static func isValid(
        _ bytes: [UInt8], of message: ArraySlice<UInt8>, _ key: _RSA.Signing.PublicKey, _ algorithm: TokenAlgorithm
    ) -> Bool {
        let signature = _RSA.Signing.RSASignature(rawRepresentation: bytes)
        switch algorithm {
        case .rs384, .ps384:
            return key.isValidSignature(signature, for: SHA384.hash(data: message), padding: algorithm.padding)
        case .rs512, .ps512:
            return key.isValidSignature(signature, for: SHA512.hash(data: message), padding: algorithm.padding)
        default:
            return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: algorithm.padding)
        }
    }
}
