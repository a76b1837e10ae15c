// SPDX-License-Identifier: Apache-2.0
// Checks a secret that the sender puts into a header as it is: a value, a bearer token, or a name and a password.

import Crypto
import Foundation
import Model

/// `{"kind": "header", "header": NAME}`: the header's value is the secret. `{"kind": "bearer"}`: the secret stands in
/// `Authorization` behind `Bearer`. `{"kind": "basic", "user": NAME}`: it is the password of that name (RFC 7617).
///
/// Such a proof says nothing about the body or the time.
struct HeaderTerms: Sendable, Equatable {
    enum Form: Sendable, Equatable {
        case value(header: String)
        case bearer
        case basic(user: String)
    }

    var form: Form

    init(_ value: JSONValue, kind: ProofConfiguration.Kind, at place: String) throws(InvalidValue) {
        switch kind {
        case .basic:
            let fields = try ConfigurationFields(value, at: place, known: ["kind", "user"])
            let user = try fields.needed("user", try fields.text("user"))
            guard !user.utf8.contains(UInt8(ascii: ":")) else { throw fields.error("user", "must hold no colon") }
            self.form = .basic(user: user)
        case .bearer:
            _ = try ConfigurationFields(value, at: place, known: ["kind"])
            self.form = .bearer
        default:
            let fields = try ConfigurationFields(value, at: place, known: ["kind", "header"])
            self.form = .value(header: try fields.needed("header", try fields.headerName("header")))
        }
    }
}

struct HeaderProof: Sendable {
    private let form: HeaderTerms.Form
    /// Digests of equal length, so that a comparison tells neither length nor content.
    private let credentials: [InForce<Secret<SHA256Digest>>]

    init(_ terms: HeaderTerms, secrets: [ProofSecret]) {
        self.form = terms.form
        self.credentials = secrets.map { secret in
            let name = if case .basic(let user) = terms.form { "\(user):" } else { "" }
            return InForce(secret.text.map { SHA256.hash(data: Array("\(name)\($0)".utf8)) }, of: secret)
        }
    }

    func prove(_ headers: Headers, _ now: Date) throws(ProofFailure) -> Proven {
        let (header, given) = try self.given(headers)
        let credentials = self.credentials.filter { $0.isInForce(at: now) }
        guard !credentials.isEmpty else { throw ProofFailure(.noSecret, "the source has no secret in force") }
        let digest = SHA256.hash(data: given)
        var match: Match?
        for credential in credentials where credential.value.reveal() == digest { match = Match(id: credential.id) }
        guard let match else { throw ProofFailure(.credential, "\(header) holds no secret of this source") }
        return Proven(secretID: match.id)
    }

    private func given(_ headers: Headers) throws(ProofFailure) -> (header: String, bytes: [UInt8]) {
        let header = "authorization"
        switch self.form {
        case .value(let header): return (header, Array(try HeaderValue.single(header, headers).utf8))
        case .bearer:
            let value = try HeaderValue.single(header, headers)
            return (header, Array(try HeaderValue.credentials(in: value, of: header, scheme: "Bearer").utf8))
        case .basic:
            let value = try HeaderValue.single(header, headers)
            let text = try HeaderValue.credentials(in: value, of: header, scheme: "Basic")
            guard let bytes = ByteText.base64(text.utf8, .standard) else {
                throw ProofFailure(.malformed, "\(header) must hold base64 behind Basic")
            }
            return (header, bytes)
        }
    }
}
