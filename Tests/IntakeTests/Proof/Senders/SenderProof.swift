// SPDX-License-Identifier: Apache-2.0
// The proof of each of the 27 senders whose payloads stand in the fixtures, as a source of theirs is configured.

struct SenderProof: Sendable {
    /// The sender's folder.
    let name: String
    let configuration: String
    var secrets: [String] = []

    private init(_ name: String, _ configuration: String, _ secrets: [String] = []) {
        self.name = name
        self.configuration = configuration
        self.secrets = secrets
    }

    private static let standard = #"{"kind": "standard-webhooks"}"#
    private static let bearer = #"{"kind": "bearer"}"#
    private static let firstSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    static let all = standards + fixed + signed + tokens

    private static let standards = [
        SenderProof(
            "standard", standard,
            [
                firstSecret, "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
                "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
            ]), SenderProof("svix", standard, [firstSecret]), SenderProof("clerk", standard, [firstSecret]),
        SenderProof("cognito", standard, [firstSecret]), SenderProof("propelauth", standard, [firstSecret]),
        SenderProof("stytch-b2b", standard, [firstSecret]), SenderProof("stytch-consumer", standard, [firstSecret]),
        SenderProof("supabase-hook", standard, ["v1,whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX"]),
    ]

    private static let fixed = [
        SenderProof("auth0-events", bearer, ["a0-stream-token-made-up-4f1c9d"]),
        SenderProof(
            "auth0-logs", #"{"kind": "header", "header": "authorization"}"#, ["a0-stream-token-made-up-4f1c9d"]),
        SenderProof("cloudevents", bearer, ["made-up-ce-token-31"]),
        SenderProof("kratos", bearer, ["made-up-kratos-key-11"]),
        SenderProof("okta", #"{"kind": "header", "header": "authorization"}"#, ["okta-made-up-secret-8d2e"]),
        SenderProof("supabase-db", #"{"kind": "header", "header": "x-dialtone-key"}"#, ["made-up-header-value-77aa"]),
    ]

    private static let signed = [
        SenderProof(
            "convoy",
            """
            {"any": [
              {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-convoy-signature", "key": "v1",
               "timestamp": {"key": "t", "unit": "s", "tolerance": 300}, "content": "{timestamp}.{body}"},
              {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-convoy-signature"},
              {"kind": "hmac", "hash": "sha512", "encoding": "base64", "header": "x-convoy-signature"}]}
            """, ["made-up-convoy-secret"]),
        SenderProof(
            "descope",
            """
            {"any": [{"kind": "bearer"},
                     {"kind": "hmac", "hash": "sha256", "encoding": "base64", "header": "x-descope-webhook-s256"}]}
            """, ["made-up-descope-bearer", "made-up-descope-hmac"]),
        SenderProof(
            "github",
            """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-hub-signature-256", "prefix": "sha256="}
            """, ["made-up-github-secret"]),
        SenderProof(
            "hookdeck",
            """
            {"any": [{"kind": "hmac", "hash": "sha256", "encoding": "base64", "header": "x-hookdeck-signature"},
                     {"kind": "hmac", "hash": "sha256", "encoding": "base64", "header": "x-hookdeck-signature-2"}]}
            """, ["made-up-hookdeck-secret-1", "made-up-hookdeck-secret-2"]),
        SenderProof(
            "logto",
            #"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "logto-signature-sha-256"}"#,
            ["made-up-logto-signing-key"]),
        SenderProof(
            "stripe",
            """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "stripe-signature", "key": "v1",
             "timestamp": {"key": "t", "unit": "s", "tolerance": 300}, "content": "{timestamp}.{body}"}
            """, ["whsec_madeUpStripe0001", "whsec_madeUpStripe0002"]),
        SenderProof(
            "workos",
            """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "workos-signature", "key": "v1",
             "timestamp": {"key": "t", "unit": "ms", "tolerance": 180}, "content": "{timestamp}.{body}"}
            """, ["madeUpWorkosSecret0000000"]),
        SenderProof(
            "zitadel",
            """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "key": "v1",
             "header": ["zitadel-signature", "x-zitadel-signature"],
             "timestamp": {"key": "t", "unit": "s", "tolerance": 300}, "content": "{timestamp}.{body}"}
            """, ["made-up-zitadel-signing-key"]),
    ]

    private static let tokens = [
        SenderProof(
            "firebase",
            """
            {"kind": "jwt", "body": "/data/jwt", "algorithms": ["RS256"], "jwks": "https://firebase.example/keys",
             "issuer": "https://securetoken.google.com/madeup",
             "audience": "https://europe-west1-madeup.cloudfunctions.net/dialtoneForward",
             "require": ["event_id", "event_type"]}
            """),
        SenderProof(
            "frontegg",
            """
            {"any": [{"kind": "header", "header": "x-webhook-secret"},
                     {"kind": "jwt", "header": "x-webhook-secret", "algorithms": ["HS256"], "body_hash": "none"}]}
            """, ["made-up-frontegg-secret"]),
        SenderProof(
            "fusionauth",
            """
            {"any": [
              {"kind": "jwt", "header": "x-fusionauth-signature-jwt", "algorithms": ["RS256", "EdDSA"],
               "jwks": "https://fusionauth.example/keys", "issuer": "any", "expiry": "optional",
               "body_hash": {"claim": "request_body_sha256", "encoding": "base64"}},
              {"kind": "jwt", "header": "x-fusionauth-signature-jwt", "algorithms": ["HS256"], "expiry": "optional",
               "body_hash": {"claim": "request_body_sha256", "encoding": "base64"}}]}
            """, ["made-up-fusionauth-hmac-key-of-32-bytes!"]),
        SenderProof(
            "keycloak",
            """
            {"any": [
              {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-keycloak-signature"},
              {"kind": "jwt", "header": "authorization", "scheme": "Bearer", "algorithms": ["RS256"],
               "jwks": "https://keycloak.example/keys", "issuer": "https://id.example.com/realms/acme",
               "audience": "https://dialtone.example.com",
               "body_hash": {"claim": "request_body_sha256", "encoding": "hex"}}]}
            """, ["made-up-kc-secret"]),
        SenderProof(
            "kinde",
            """
            {"kind": "jwt", "body": "whole", "algorithms": ["RS256"], "jwks": "https://kinde.example/keys",
             "issuer": "any", "expiry": "optional", "require": ["event_id", "type", "source"]}
            """),
    ]
}
