// SPDX-License-Identifier: Apache-2.0
// The terms of a token leave no way in for a user's own token, or for one that is signed with a public key.

import Model
import Testing

@testable import Intake

@Suite struct TokenTermsTests {
    private static let good = [
        #""kind": "jwt""#, #""header": "authorization""#, #""scheme": "Bearer""#, #""algorithms": ["RS256"]"#,
        #""jwks": "https://id.example.com/keys""#, #""issuer": "https://id.example.com""#,
        #""body_hash": {"claim": "hash", "encoding": "hex"}"#,
    ]

    /// Reads good terms with some members changed, or taken away: `"issuer"` without a value.
    private func read(_ changes: [String]) throws -> ProofConfiguration {
        let names = changes.map { $0.prefix { $0 != ":" } }
        let members =
            Self.good.filter { member in !names.contains { member.hasPrefix($0) } }
            + changes.filter { $0.contains(":") }
        return try ProofConfiguration(try JSONValue(parsing: Array("{\(members.joined(separator: ","))}".utf8)))
    }

    private static func pem(_ kind: String) throws -> String {
        let text = try #require(TokenVectors.publicKeys[kind])
        return "\"public_key\": \"\(text.replacing("\n", with: #"\n"#))\""
    }

    @Test func `good terms are read`() throws {
        for changes in [
            [], [#""scheme": null"#], [#""header": "x-token""#, #""scheme": null"#], [#""leeway": 0"#],
            [#""expiry": "required""#], [#""expiry": "optional""#], [#""issuer": "i""#, #""audience": "a""#],
            [#""require": "one""#], [#""require": ["one", "two"]"#, #""equal": {"sub": "webhooks"}"#],
            [#""algorithms": "RS256""#], [#""algorithms": ["RS256", "ES256", "EdDSA"]"#],
            [#""algorithms": ["HS256", "HS512"]"#, #""jwks": null"#],
            [#""algorithms": ["HS256"]"#, #""jwks": null"#, #""issuer""#, #""body_hash": "none""#],
            [#""issuer": "any""#], [#""jwks": null"#, #""issuer""#, try Self.pem("RSA")],
            [#""jwks": null"#, try Self.pem("RSA")],
            [#""jwks": null"#, #""algorithms": ["EdDSA"]"#, try Self.pem("Ed25519")],
        ] {
            #expect(throws: Never.self, "\(changes)") { try self.read(changes) }
        }
    }

    @Test(arguments: [
        ([#""algorithms": []"#], "algorithms"), ([#""algorithms": null"#], "algorithms"),
        ([#""algorithms": ["none"]"#], "algorithms"), ([#""algorithms": ["RS256", "none"]"#], "algorithms"),
        ([#""algorithms": ["rs256"]"#], "algorithms"), ([#""algorithms": ["RS256", "RS256"]"#], "algorithms"),
        ([#""algorithms": ["HS256"]"#], "algorithms"), ([#""algorithms": ["RS256", "HS256"]"#], "algorithms"),
        ([#""jwks": null"#], "algorithms"), ([#""algorithms": ["RS256", "HS256"]"#, #""jwks": null"#], "algorithms"),
        ([#""jwks": "http://id.example.com/""#], "jwks"), ([#""jwks": "https://10.0.0.1/""#], "jwks"),
        ([#""public_key": "x""#], "jwks"), ([#""jwks": null"#, #""public_key": "x""#], "public_key"),
        ([#""header": null"#, #""scheme": null"#], ""), ([#""body": "whole""#], ""), ([#""header": "a b""#], "header"),
        ([#""header": null"#, #""body": "whole""#], "scheme"), ([#""body_hash""#], "body_hash"),
        ([#""header": null"#, #""scheme": null"#, #""body": "whole""#], "body_hash"),
        ([#""header": null"#, #""scheme": null"#, #""body": "whole""#, #""body_hash""#], "require"),
        ([#""header": null"#, #""scheme": null"#, #""body": "data""#], "body"),
        ([#""header": null"#, #""scheme": null"#, #""body": "/a/b/c/d/e/f/g/h/i""#], "body"),
        ([#""body_hash": {}"#], "body_hash.claim"), ([#""body_hash": {"claim": "x"}"#], "body_hash.encoding"),
        ([#""body_hash": {"claim": "x", "encoding": "hexa"}"#], "body_hash.encoding"), ([#""equal": []"#], "equal"),
        ([#""equal": {"a": 1}"#], "equal"), ([#""require": [1]"#], "require"), ([#""require": []"#], "require"),
        ([#""expiry": "never""#], "expiry"), ([#""leeway": 601"#], "leeway"), ([#""leeway": "60""#], "leeway"),
        ([#""issuer": """#], "issuer"), ([#""audience": ["a"]"#], "audience"), ([#""issuer""#], "issuer"),
        ([#""issuer": null"#], "issuer"), ([#""audience": null"#], "audience"), ([#""body_hash": null"#], "body_hash"),
        ([#""body_hash": "none""#], "body_hash"), ([#""body_hash": "None""#], "body_hash"),
        ([#""body_hash": {"claim": "nonce", "encoding": "hex"}"#], "body_hash.claim"),
        ([#""header": null"#, #""scheme": null"#, #""body": "whole""#, #""body_hash": "none""#], "body_hash"),
    ])
    func `terms without sense are refused at their place`(changes: [String], field: String) {
        let error = #expect(throws: InvalidValue.self) { try self.read(changes) }
        #expect(error?.field == (field.isEmpty ? "proof" : "proof.\(field)"))
    }

    /// The holder of a secret may sign other tokens with it too.
    @Test func `a token by a shared secret is bound to its body, or it is written down that it is not`() throws {
        let shared = [#""algorithms": ["HS256"]"#, #""jwks": null"#]
        let inBody = shared + [#""header": null"#, #""scheme": null"#, #""body": "/jwt""#, #""body_hash""#]
        for (changes, field) in [
            (shared + [#""body_hash""#], "proof.body_hash"), (inBody, "proof.require"),
            (inBody + [#""require": "exp""#], "proof.require"),
            (inBody.filter { $0 != #""body_hash""# } + [#""body_hash": "none""#], "proof.body_hash"),
        ] {
            let error = #expect(throws: InvalidValue.self) { try self.read(changes) }
            #expect(error?.field == field)
        }
        for changes in [shared, shared + [#""body_hash": "none""#], inBody + [#""require": "event_id""#]] {
            #expect(throws: Never.self, "\(changes)") { try self.read(changes) }
        }
    }

    @Test(arguments: [
        [#""require": ["sub"]"#], [#""require": ["iss", "aud", "exp", "nbf", "iat", "jti", "nonce"]"#],
        [#""equal": {"sub": "webhooks"}"#], [#""require": ["jti"]"#, #""equal": {"iss": "i", "aud": "a"}"#],
    ])
    func `claims that users' tokens have tell no event from them`(claims: [String]) throws {
        let inBody = [#""header": null"#, #""scheme": null"#, #""body": "whole""#, #""body_hash""#]
        let error = #expect(throws: InvalidValue.self) { try self.read(inBody + claims) }
        #expect(error?.field == "proof.require")
        let more = claims.map {
            $0.replacing("[\"", with: #"["event_id", ""#).replacing("{", with: #"{"event": "x", "#)
        }
        #expect(throws: Never.self) { try self.read(inBody + more) }
    }

    @Test func `a public key must fit every algorithm`() throws {
        for (algorithms, kind) in [
            ("\"ES256\"", "RSA"), ("\"RS256\"", "P-256"), ("\"ES384\"", "P-256"), ("\"EdDSA\"", "RSA"),
            ("\"RS256\", \"ES256\"", "RSA"), ("\"HS256\"", "RSA"), ("\"RS256\", \"HS256\"", "RSA"),
            ("\"ES256\"", "Ed25519"),
        ] {
            #expect(throws: InvalidValue.self) {
                try self.read([#""jwks": null"#, #""algorithms": [\#(algorithms)]"#, try Self.pem(kind)])
            }
        }
        for text in [
            "", "-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----",
        ] {
            for algorithm in ["RS256", "ES256", "ES384", "EdDSA"] {
                #expect(throws: InvalidValue.self) {
                    try self.read(
                        [#""jwks": null"#, #""algorithms": ["\#(algorithm)"]"#, "\"public_key\": \"\(text)\""])
                }
            }
        }
    }
}
