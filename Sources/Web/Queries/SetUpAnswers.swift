// SPDX-License-Identifier: Apache-2.0
// A source, an API key and a limit as the API shows them: no secret, no hash, and nothing sealed.

import Access
import Foundation
import Intake
import Model

struct SourceAnswer: Encodable, Sendable {
    /// A secret's id, never its value.
    struct Secret: Encodable {
        var id: String
        var madeBy: String
        var createdAt: Date
        /// Null: until it is rotated.
        @OrNull var expiresAt: Date?

        enum CodingKeys: String, CodingKey {
            case id
            case madeBy = "made_by"
            case createdAt = "created_at"
            case expiresAt = "expires_at"
        }
    }

    private let source: Source
    private let now: Date
    private let publicURL: String?

    init(_ source: Source, at now: Date, under publicURL: String?) {
        self.source = source
        self.now = now
        self.publicURL = publicURL
    }

    private enum CodingKeys: String, CodingKey {
        case source, id, tenant, tenants, preset, status, url, secrets
        case byTable = "by_table"
        case keepsNames = "keeps_names"
        case version = "config_version"
        case hookID = "hook_id"
        case lacksSendersSecret = "lacks_senders_secret"
        case createdAt = "created_at"
        case stoppedAt = "stopped_at"
    }

    func encode(to encoder: any Encoder) throws {
        let source = self.source
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(source.slug, forKey: .source)
        try members.encode(source.id.rawValue.lowercase, forKey: .id)
        try members.encode(source.tenant?.rawValue, forKey: .tenant)
        try members.encode(source.allowed.map(\.rawValue), forKey: .tenants)
        try members.encode(source.isTracked && source.allowed.isEmpty, forKey: .byTable)
        try members.encode(source.keepsNames, forKey: .keepsNames)
        try members.encode(source.preset, forKey: .preset)
        try members.encode(source.status, forKey: .status)
        try members.encode(source.version, forKey: .version)
        try members.encode(source.hookID, forKey: .hookID)
        try members.encode(self.publicURL.map { "\($0)/v1/hooks/\(source.hookID)" }, forKey: .url)
        let secrets = source.secrets.map { secret in
            Secret(
                id: secret.id.lowercase, madeBy: secret.madeBy, createdAt: secret.createdAt,
                expiresAt: secret.expiresAt)
        }
        try members.encode(secrets, forKey: .secrets)
        try members.encode(source.lacksSendersSecret(at: self.now), forKey: .lacksSendersSecret)
        try members.encode(source.createdAt, forKey: .createdAt)
        try members.encode(source.stoppedAt, forKey: .stoppedAt)
    }
}

struct KeyAnswer: Encodable, Sendable {
    let keyID: String
    /// Null: an operator's key.
    @OrNull var tenant: String?
    let scopes: [String]
    let createdAt: Date
    @OrNull var expiresAt: Date?
    @OrNull var revokedAt: Date?

    init(_ key: APIKeyRecord) {
        self.keyID = key.id
        self.tenant = key.tenant?.rawValue
        self.scopes = key.scopes.map(\.rawValue)
        self.createdAt = key.createdAt
        self.expiresAt = key.expiresAt
        self.revokedAt = key.revokedAt
    }

    enum CodingKeys: String, CodingKey {
        case tenant, scopes
        case keyID = "key_id"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case revokedAt = "revoked_at"
    }
}

/// A scope at the provider that has a rate, a pause, or a breaker that is not closed.
package struct LimitAnswer: Encodable, Sendable {
    let scope: String
    /// Calls per second that were set.
    @OrNull var rate: Double?
    /// Calls per second that the provider's replies tell.
    @OrNull var learnedRate: Double?
    let breaker: String
    @OrNull var reason: String?
    /// Null: calls may go now.
    @OrNull var waitSeconds: Int?

    package init(
        scope: String, rate: Double?, learnedRate: Double?, breaker: String, reason: String?, waitSeconds: Int?
    ) {
        self.scope = scope
        self.rate = rate
        self.learnedRate = learnedRate
        self.breaker = breaker
        self.reason = reason
        self.waitSeconds = waitSeconds
    }

    enum CodingKeys: String, CodingKey {
        case scope, rate, breaker, reason
        case learnedRate = "learned_rate"
        case waitSeconds = "wait_seconds"
    }
}
