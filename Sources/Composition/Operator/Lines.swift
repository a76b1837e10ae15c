// SPDX-License-Identifier: Apache-2.0
// What commands print: each line as JSON members and as the cells of a table, so that the command line needs no more
// nouns.

import Access
import Directory
import Foundation
import Intake
package import Model
import Onboarding
import ProviderLimits
import Schema

/// One line of a listing.
package protocol Line: Encodable, Sendable {
    static var heading: [String] { get }
    var cells: [String] { get }
}

package struct MigrationLine: Line {
    package var version: Int32
    package var name: String
    package var applied_at: String?

    package static let heading = ["VERSION", "NAME", "APPLIED"]
    package var cells: [String] { ["\(self.version)", self.name, self.applied_at ?? "pending"] }

    init(_ migration: Migration, appliedAt: Date? = nil) {
        self.version = migration.version
        self.name = migration.name
        self.applied_at = appliedAt?.formatted(.iso8601)
    }
}

package struct TenantLine: Line {
    package var tenant: String
    package var connection_id: String
    package var status: String
    package var created_at: String

    package static let heading = ["TENANT", "CONNECTION", "STATUS", "CREATED"]
    package var cells: [String] { [self.tenant, self.connection_id, self.status, self.created_at] }

    init(_ tenant: Tenant) {
        self.tenant = tenant.id.rawValue
        self.connection_id = tenant.connectionID
        self.status = tenant.status
        self.created_at = tenant.createdAt.formatted(.iso8601)
    }
}

/// A source that was just made: the only line with a secret in it.
package struct NewSourceLine: Encodable, Sendable {
    package var source: String
    package var tenant: String?
    package var url: String
    package var secret: String
}

package struct SourceLine: Line {
    package var source: String
    package var tenant: String?
    package var preset: String
    package var status: String
    package var url: String
    package var created_at: String

    package static let heading = ["SOURCE", "TENANT", "PRESET", "STATUS", "URL"]
    package var cells: [String] { [self.source, self.tenant ?? "(several)", self.preset, self.status, self.url] }

    init(_ source: Source, url: String) {
        self.source = source.slug
        self.tenant = source.tenant?.rawValue
        self.preset = source.preset
        self.status = source.status
        self.url = url
        self.created_at = source.createdAt.formatted(.iso8601)
    }
}

/// A key that was just made.
package struct NewKeyLine: Encodable, Sendable {
    package var key: String
    package var key_id: String
    package var tenant: String?
    package var scopes: [String]
}

package struct KeyLine: Line {
    package var key_id: String
    package var tenant: String?
    package var scopes: [String]
    package var created_at: String
    package var revoked_at: String?

    package static let heading = ["KEY", "TENANT", "SCOPES", "CREATED", "REVOKED"]
    package var cells: [String] {
        [
            self.key_id, self.tenant ?? "(operator)", self.scopes.joined(separator: ","), self.created_at,
            self.revoked_at ?? "",
        ]
    }

    init(_ key: APIKeyRecord) {
        self.key_id = key.id
        self.tenant = key.tenant?.rawValue
        self.scopes = key.scopes.map(\.rawValue)
        self.created_at = key.createdAt.formatted(.iso8601)
        self.revoked_at = key.revokedAt?.formatted(.iso8601)
    }
}

package struct UserLine: Line {
    private let entry: UserEntry

    package static let heading = ["USER", "STATUS", "TAG", "SIP USERNAME", "CREDENTIAL"]
    package var cells: [String] {
        [
            self.entry.userID, self.entry.status, self.entry.tag ?? "", self.entry.sipUsername ?? "",
            self.entry.credentialID ?? "",
        ]
    }

    init(_ entry: UserEntry) { self.entry = entry }

    package func encode(to encoder: any Encoder) throws { try self.entry.encode(to: encoder) }

    package var summary: String {
        """
        \(self.entry.userID) of \(self.entry.tenant): \(self.entry.status), generation \(self.entry.generation)
          credential    \(self.entry.credentialID ?? "none")
          SIP username  \(self.entry.sipUsername ?? "none")
          tag           \(self.entry.tag ?? "none")
          received      \(self.entry.receivedAt.formatted(.iso8601))
          ready         \(self.entry.readyAt?.formatted(.iso8601) ?? "no")
        """
    }
}

package struct TimelineLine: Line {
    private let entry: TimelineEntry

    /// Lines shown at most.
    package static let limit = Users.timelineLimit

    package static let heading = [
        "AT", "FROM", "TO", "GENERATION", "EPOCH", "WORKER", "HTTP", "REASON", "PROVIDER REQUEST",
    ]
    package var cells: [String] {
        [
            self.entry.at.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)), self.entry.from,
            self.entry.to, "\(self.entry.generation)", "\(self.entry.epoch)",
            self.entry.worker.map { String($0.prefix(8)) } ?? "", self.entry.httpStatus.map { "\($0)" } ?? "",
            self.entry.errorCode ?? "",
            self.entry.providerRequestID ?? "",
        ]
    }

    init(_ entry: TimelineEntry) { self.entry = entry }

    package func encode(to encoder: any Encoder) throws { try self.entry.encode(to: encoder) }
}

/// What became of an action on a user.
package struct ActionLine: Encodable, Sendable {
    package let tenant: String
    package let user_id: String
    package let status: String

    init(_ user: UserKey, _ status: UserStatus) {
        self.tenant = user.tenant.rawValue
        self.user_id = user.user.rawValue
        self.status = status.rawValue
    }
}

/// This installation.
package struct InstallationLine: Encodable, Sendable {
    package let installation: String
    package let last_change: String?
    /// Whether every create looks first, until a full sweep has ended.
    package let looks_first: Bool
    /// Whether nothing is deleted until an operator has confirmed what this is.
    package let needs_confirmation: Bool

    init(_ state: InstallationState) {
        self.installation = state.id.lowercase
        self.last_change = state.change
        self.looks_first = state.looksFirst
        self.needs_confirmation = state.isStopped
    }
}

/// What holds creates back, for the account or for one connection.
package struct LimitLine: Line {
    /// `account`, or `connection:<id>`.
    package var scope: String
    /// Creates per second.
    package var rate: Double?
    /// `closed`, `open` or `half_open`.
    package var breaker: String
    package var reason: String?
    package var wait_seconds: Int?

    package static let heading = ["SCOPE", "RATE", "BREAKER", "WAITS", "WHY"]
    package var cells: [String] {
        [
            self.scope, self.rate.map { "\($0)/s" } ?? "", self.breaker, self.wait_seconds.map { "\($0) s" } ?? "",
            self.reason ?? "",
        ]
    }

    init(_ limit: ProviderLimit) {
        self.scope = limit.scope
        self.rate = limit.rate
        self.breaker = limit.breaker
        self.reason = limit.reason
        self.wait_seconds = limit.waitSeconds.map { Int($0.rounded(.up)) }
    }

    init(connection: String, rate: Double?) {
        self.scope = "connection:\(connection)"
        self.rate = rate
        self.breaker = "closed"
    }
}

extension SweepReport {
    /// In words, in the order in which they matter.
    package var lines: [(String, Int)] {
        [
            ("tags", self.tags), ("credentials listed", self.listed), ("surplus found", self.surplus),
            ("surplus deleted", self.surplusDeleted), ("told to look", self.evidence),
            ("deletes to do again", self.reopened), ("missing, not yet certain", self.missing),
            ("replaced by a new one", self.reprovisioned), ("missing, with nothing else there", self.unproven),
            ("users without a job", self.enqueued), ("failed users tried again", self.revived),
            ("unknown names of ours", self.strays), ("… deleted", self.straysDeleted),
            ("names of others", self.foreign),
        ]
    }
}
