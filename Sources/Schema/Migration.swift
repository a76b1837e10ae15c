// SPDX-License-Identifier: Apache-2.0
// The files of migrations/, embedded in the program, in order.

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

    /// SHA-256 of the file: an applied file may never change.
    package var checksum: [UInt8] { Array(SHA256.hash(data: Array(self.text.utf8))) }

    package static let all: [Migration] = [
        Migration(1, "installation", PackageResources._001_installation_sql),
        Migration(2, "tenants", PackageResources._002_tenants_sql),
        Migration(3, "events_users_jobs", PackageResources._003_events_users_jobs_sql),
        Migration(4, "credentials", PackageResources._004_credentials_sql),
        Migration(5, "row_level_security", PackageResources._005_row_level_security_sql),
        Migration(6, "exactly_once", PackageResources._006_exactly_once_sql),
        Migration(7, "shards", PackageResources._007_shards_sql),
        Migration(8, "bounded_work", PackageResources._008_bounded_work_sql),
        Migration(9, "recovery_share", PackageResources._009_recovery_share_sql),
    ]
}
