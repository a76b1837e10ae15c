// SPDX-License-Identifier: Apache-2.0
// A source that signs no time may have ids from before in the ledger as they came.

import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct SentIDMigrationTests {
    @Test func `intake looks for both forms of an id where a source from before signs no time`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            _ = try await Schema(migrations: Array(Migration.all.prefix(22))).migrate(on: database.admin)
            try await database.admin.script(
                """
                insert into dialtone.sources (source_id, slug, hook_id, preset, is_tracked, signs_time)
                values (gen_random_uuid(), 'signs', 'hk_1', 'svix', true, true),
                       (gen_random_uuid(), 'signs-none', 'hk_2', 'okta', true, false)
                """)
            _ = try await Schema(migrations: Array(Migration.all.prefix(23))).migrate(on: database.admin)
            let changed = try await database.admin.query("select slug from dialtone.sources where ids_changed")
                .map { try $0.decode(String.self) }
            #expect(changed == ["signs-none"])
        }
    }
}
