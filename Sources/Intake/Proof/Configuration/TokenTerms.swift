// SPDX-License-Identifier: Apache-2.0
// How a sender signs with a JSON Web Token: the terms of such a proof as a configuration gives them.

import Model

/// `{"kind": "jwt", …}`.
///
/// - Where: `header` (with `scheme`, such as `Bearer`, where one stands in front), or `body`: `"whole"`, or a JSON
///   Pointer such as `/data/jwt`.
/// - `algorithms`: such as `["RS256"]`. The token chooses among them, and among no others.
/// - Whose key: `jwks` (an address), or `public_key` (PEM), or neither: then the source's secrets are the keys of
///   HS256, HS384 or HS512.
/// - `issuer`, `audience`: what `iss` must be and `aud` must hold. With `jwks` an issuer is needed, or `"any"`.
/// - `require`: names of claims that must be there. `equal`: `{name: text}` of claims that must have this value.
/// - `body_hash`: `{"claim": NAME, "encoding": "base64"}` or `"hex"`: the claim with the body's SHA-256.
///   `"none"` says that the sender hashes no body; it goes with secrets alone.
/// - `expiry`: `required` (otherwise so) or `optional`. `leeway`: seconds by which clocks may differ (60).
///
/// Keys that are published also sign the tokens of users, and so may a secret. So a token in a header needs
/// `body_hash`, and one in the body needs `require` or `equal` with claims that no user's token has.
struct TokenTerms: Sendable, Equatable {
    enum Keys: Sendable, Equatable {
        case secrets
        case given(PublicKeyText)
        case published(JWKSAddress)
    }

    struct BodyHash: Sendable, Equatable {
        var claim: String
        var encoding: HMACTerms.Encoding
    }

    struct Claim: Sendable, Equatable {
        var name: String
        var value: String
    }

    private enum Expiry: String, CaseIterable { case required, optional }

    var place: TokenPlace
    var algorithms: [TokenAlgorithm]
    var keys: Keys
    var issuer: String?
    var audience: String?
    var required: [String]
    var equal: [Claim]
    var bodyHash: BodyHash?
    var needsExpiry: Bool
    /// In seconds.
    var leeway: Int64

    private static let known = [
        "kind", "header", "scheme", "body", "algorithms", "jwks", "public_key", "issuer", "audience", "require",
        "equal", "body_hash", "expiry", "leeway",
    ]
    private static let maximumClaims = 16
    /// Users' tokens have these (RFC 7519 section 4.1), and a user chooses `nonce` (OpenID Connect Core 1.0 section 2).
    private static let usersClaims = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce"]

    init(_ value: JSONValue, at place: String) throws(InvalidValue) {
        let fields = try ConfigurationFields(value, at: place, known: Self.known)
        try fields.requireNoNull(["issuer", "audience", "body_hash"])
        self.place = try Self.place(fields)
        self.algorithms = try Self.algorithms(fields)
        self.keys = try Self.keys(fields, for: self.algorithms)
        self.issuer = try Self.issuer(fields, for: self.keys)
        self.audience = try fields.text("audience")
        self.required = try fields.texts("require", upTo: Self.maximumClaims) ?? []
        self.equal = try Self.equal(fields)
        self.bodyHash = try Self.bodyHash(fields)
        let expiry: Expiry? = try fields.choice("expiry")
        self.needsExpiry = expiry != .optional
        self.leeway = try fields.seconds("leeway", 0...600) ?? 60
        try self.requireSense(fields)
    }

    private static func place(_ fields: ConfigurationFields) throws(InvalidValue) -> TokenPlace {
        let scheme = try fields.text("scheme")
        switch (try fields.headerName("header"), try fields.text("body")) {
        case (let header?, nil): return .header(header, scheme: scheme)
        case (nil, let body?):
            if scheme != nil { throw fields.error("scheme", "goes with a header alone") }
            return try .body(body, at: fields.place(of: "body"))
        default: throw InvalidValue(fields.place, "must say where the token is: either header or body")
        }
    }

    private static func algorithms(_ fields: ConfigurationFields) throws(InvalidValue) -> [TokenAlgorithm] {
        let names = try fields.needed("algorithms", try fields.texts("algorithms", upTo: 12))
        let algorithms = names.compactMap(TokenAlgorithm.init(rawValue:))
        guard algorithms.count == names.count else {
            let all = TokenAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.error("algorithms", "must be some of \(all)")
        }
        return algorithms
    }

    private static func keys(
        _ fields: ConfigurationFields, for algorithms: [TokenAlgorithm]
    ) throws(InvalidValue) -> Keys {
        let keys: Keys
        switch (try fields.text("jwks"), try fields.text("public_key")) {
        case (nil, nil): keys = .secrets
        case (let address?, nil): keys = .published(try JWKSAddress(address, at: fields.place(of: "jwks")))
        case (nil, let text?):
            let key = try PublicKeyText(text, for: algorithms[0], at: fields.place(of: "public_key"))
            guard algorithms.allSatisfy({ $0.family == key.value.family }) else {
                throw fields.error("algorithms", "must all fit the kind of the public key")
            }
            keys = .given(key)
        default: throw fields.error("jwks", "does not go with public_key")
        }
        // A public key as the secret of an HMAC would let everybody sign.
        guard algorithms.allSatisfy({ ($0.family == .hmac) == (keys == .secrets) }) else {
            throw fields.error(
                "algorithms", "of HMAC (HS…) go with the source's secrets, and all others with a public key")
        }
        return keys
    }

    /// Returns nil where every issuer passes. Many a sender shares its keys with others.
    private static func issuer(_ fields: ConfigurationFields, for keys: Keys) throws(InvalidValue) -> String? {
        let issuer = try fields.text("issuer")
        if case .published = keys, issuer == nil {
            throw fields.error("issuer", "is needed with jwks; write any where the sender's tokens name none")
        }
        return issuer == "any" ? nil : issuer
    }

    private static func equal(_ fields: ConfigurationFields) throws(InvalidValue) -> [Claim] {
        guard let value = fields.value("equal") else { return [] }
        guard case .object(let members) = value, members.count <= Self.maximumClaims else {
            throw fields.error("equal", "must be an object of names and texts")
        }
        var claims: [Claim] = []
        for (name, value) in members {
            guard let text = value.string else { throw fields.error("equal", "must hold texts alone") }
            claims.append(Claim(name: name, value: text))
        }
        return claims
    }

    private static func bodyHash(_ fields: ConfigurationFields) throws(InvalidValue) -> BodyHash? {
        guard let value = fields.value("body_hash"), value != .string("none") else { return nil }
        let hash = try ConfigurationFields(value, at: fields.place(of: "body_hash"), known: ["claim", "encoding"])
        let claim = try hash.needed("claim", try hash.text("claim"))
        guard !Self.usersClaims.contains(claim) else {
            throw hash.error("claim", "must be none of \(Self.usersClaims.joined(separator: ", "))")
        }
        return BodyHash(
            claim: claim,
            encoding: try hash.needed("encoding", try hash.choice("encoding")))
    }

    private func requireSense(_ fields: ConfigurationFields) throws(InvalidValue) {
        let isWrittenOff = fields.value("body_hash") == .string("none")
        if self.place.isInBody {
            if self.bodyHash != nil || isWrittenOff {
                throw fields.error("body_hash", "does not go with a token in the body: it is the body")
            }
            let claims = self.required + self.equal.map(\.name)
            guard claims.contains(where: { !Self.usersClaims.contains($0) }) else {
                let all = Self.usersClaims.joined(separator: ", ")
                throw fields.error("require", "is needed: name claims that no user's own token has; not \(all)")
            }
        } else if self.bodyHash == nil && !(isWrittenOff && self.keys == .secrets) {
            let more = self.keys == .secrets ? "; none says that any token by the secret shall" : ""
            throw fields.error("body_hash", "is needed: without it a user's own token would prove any body\(more)")
        }
    }
}
