// SPDX-License-Identifier: Apache-2.0
// Signs with a JSON Web Token by a shared secret: the inverse of `TokenProof`.

import Crypto
import Foundation
import Model

struct TokenSigning: Signing {
    private let terms: TokenTerms
    private let key: Secret<SymmetricKey>

    /// A sender makes its tokens for the moment.
    private static let lifetime: Int64 = 60

    /// `terms` takes the source's secrets, so its algorithms are those of HMAC.
    init(_ terms: TokenTerms, _ secret: Secret<String>) {
        self.terms = terms
        self.key = secret.map { SymmetricKey(data: Data($0.utf8)) }
    }

    var secondsUntilStale: Int64? { Self.lifetime + self.terms.leeway }

    /// A token in a header says which body it is for. One in the body holds the body's members as its claims.
    func sign(_ draft: DeliveryDraft, at time: Date) throws(InvalidValue) -> SignedDelivery {
        switch self.terms.place {
        case .header(let header, let scheme):
            let token = self.token(self.claims(of: draft, [], time))
            let value = scheme.map { "\($0) \(token)" } ?? token
            return SignedDelivery(headers: draft.headers + [(header, value)], body: draft.body)
        case .body(let names):
            guard let body = try? JSONValue(parsing: draft.body), case .object(let members) = body else {
                throw InvalidValue("the body", "must be a JSON object: its members are the token's claims")
            }
            let token = self.token(self.claims(of: draft, members, time))
            guard !names.isEmpty else { return SignedDelivery(headers: draft.headers, body: Array(token.utf8)) }
            let whole = names.reversed().reduce(JSONValue.string(token)) { .object([(key: $1, value: $0)]) }
            return SignedDelivery(headers: draft.headers, body: Array(whole.text.utf8))
        }
    }

    /// What the body has stays as it is. A needed claim that nobody can know is the delivery's id.
    private func claims(
        of draft: DeliveryDraft, _ members: [(key: String, value: JSONValue)], _ time: Date
    ) -> JSONValue {
        var claims = members
        func add(_ name: String, _ value: JSONValue) {
            if !claims.contains(where: { $0.key == name }) { claims.append((name, value)) }
        }
        let start = Int64(time.timeIntervalSince1970.rounded(.down))
        add("iat", .number("\(start)"))
        add("exp", .number("\(start + Self.lifetime)"))
        if let issuer = self.terms.issuer { add("iss", .string(issuer)) }
        if let audience = self.terms.audience { add("aud", .string(audience)) }
        for claim in self.terms.equal { add(claim.name, .string(claim.value)) }
        if let hash = self.terms.bodyHash {
            add(hash.claim, .string(hash.encoding.text(Array(SHA256.hash(data: draft.body)))))
        }
        for name in self.terms.required { add(name, .string(draft.id)) }
        return .object(claims)
    }

    private func token(_ claims: JSONValue) -> String {
        let algorithm = self.terms.algorithms[0]
        let header = JSONValue.object([
            (key: "alg", value: .string(algorithm.rawValue)), (key: "typ", value: .string("JWT")),
        ])
        let signed = "\(Self.base64(Array(header.text.utf8))).\(Self.base64(Array(claims.text.utf8)))"
        return "\(signed).\(Self.base64(self.code(of: Array(signed.utf8), by: algorithm)))"
    }

    private func code(of message: [UInt8], by algorithm: TokenAlgorithm) -> [UInt8] {
        let key = self.key.reveal()
        return switch algorithm {
        case .hs384: Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
        case .hs512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
        default: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        }
    }

    /// RFC 7515 section 2: without padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
