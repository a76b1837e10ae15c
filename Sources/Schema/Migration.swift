// SPDX-License-Identifier: Apache-2.0
// The files of migrations/ in order, embedded in the program.

import Crypto
import Foundation

/// One file of `migrations/`.
package struct Migration: Sendable {
    package let version: Int32
    package let name: String
    package let text: String

    init(_ version: Int32, _ name: String, _ bytes: [UInt8]) {
        self.version = version
        self.name = name
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    /// SHA-256 of the file, because an applied file may never change.
    package var checksum: [UInt8] { Array(SHA256.hash(data: Array(self.text.utf8))) }

    package static let all: [Migration] = [
        Migration(1, "installation", PackageResources._001_installation_sql),
        Migration(2, "tenants", PackageResources._002_tenants_sql),
        Migration(3, "events_and_users", PackageResources._003_events_and_users_sql),
        Migration(4, "jobs", PackageResources._004_jobs_sql),
        Migration(5, "credentials", PackageResources._005_credentials_sql),
        Migration(6, "provider_limits", PackageResources._006_provider_limits_sql),
        Migration(7, "recovery", PackageResources._007_recovery_sql),
        Migration(8, "row_level_security", PackageResources._008_row_level_security_sql),
        Migration(9, "people", PackageResources._009_people_sql),
        Migration(10, "quarantine", PackageResources._010_quarantine_sql),
        Migration(11, "sources", PackageResources._011_sources_sql),
        Migration(12, "memberships", PackageResources._012_memberships_sql),
        Migration(13, "retention", PackageResources._013_retention_sql),
        Migration(14, "waiting", PackageResources._014_waiting_sql),
        Migration(15, "dead_jobs", PackageResources._015_dead_jobs_sql),
        Migration(16, "tags", PackageResources._016_tags_sql),
        Migration(17, "recovery", PackageResources._017_recovery_sql),
        Migration(18, "budget", PackageResources._018_budget_sql),
        Migration(19, "queries", PackageResources._019_queries_sql),
        Migration(20, "actions", PackageResources._020_actions_sql),
        Migration(21, "provider_code", PackageResources._021_provider_code_sql),
        Migration(22, "set_up", PackageResources._022_set_up_sql),
        Migration(23, "sent_ids", PackageResources._023_sent_ids_sql),
    ]
}
