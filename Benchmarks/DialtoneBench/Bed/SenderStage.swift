// SPDX-License-Identifier: Apache-2.0
// A stage with the sources that the benchmark of senders needs, and a second tenant beside them.

import Composition
import CryptoExtras
import Foundation
import Model

struct SenderStage {
    struct Hook {
        let path: String
        let secret: String
    }

    let stage: Stage
    let clerk: Hook
    let okta: Hook
    /// A source whose deliveries are signed with this key, as RS256 tokens.
    let token: Hook
    let key: _RSA.Signing.PrivateKey
    /// A source whose one delivery may bring ten thousand members.
    let list: Hook
    /// Another tenant's source of canonical events.
    let neighbour: Hook

    static func make(on bed: Bed) async throws -> SenderStage {
        let stage = try await bed.stage("bench_senders")
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let operating = Administration(try await Settings.read(flags: stage.environment))
        let neighbour = try TenantID(AttackGround.victim)
        _ = try await operating.createTenant(neighbour, connectionID: "1000000002")
        let beside = try await operating.createSource("app", tenant: neighbour, allowed: [], preset: "standard")
        return SenderStage(
            stage: stage,
            clerk: try await Self.source("clerk", preset: "clerk", nil, operating),
            okta: try await Self.source("okta", preset: "okta", nil, operating),
            token: try await Self.source(
                "token", preset: nil, Self.tokenTerms(key.publicKey.pemRepresentation), operating),
            key: key, list: try await Self.source("list", preset: nil, Self.listTerms, operating),
            neighbour: Hook(path: Stage.path(of: beside.url), secret: try beside.madeSecret()))
    }

    private static func source(
        _ name: String, preset: String?, _ configuration: String?, _ operating: Administration
    ) async throws -> Hook {
        let source = try await operating.createSource(
            name, tenant: nil, allowed: [], preset: preset, configuration: configuration.map { Array($0.utf8) })
        _ = try await operating.mapOrganization(
            SenderRequests.organization, to: TenantID("acme"), of: name, tenant: nil)
        return Hook(path: Stage.path(of: source.url), secret: source.secret ?? "")
    }

    private static func tokenTerms(_ publicKey: String) -> String {
        """
        {"grammar": 1, "tenant": "table", "order": "arrival",
         "proofs": [{"kind": "jwt", "header": "authorization", "scheme": "Bearer", "algorithms": ["RS256"],
                     "public_key": "\(publicKey.replacing("\n", with: "\\n"))", "issuer": "bench",
                     "body_hash": {"claim": "body_sha256", "encoding": "hex"}}],
         "type": "/type", "delivery_id": "/id", "user_id": "/user", "organization": "/org",
         "rules": [{"on": "member.added", "membership": "live"}]}
        """
    }

    private static let listTerms = """
        {"grammar": 1, "tenant": "table", "order": "arrival",
         "proofs": [{"kind": "header", "header": "authorization"}],
         "type": "/type", "delivery_id": "/id", "organization": "/org",
         "rules": [{"on": "members.added", "words": [{"each": "/users", "user_id": ".", "membership": "live"}]}]}
        """
}
