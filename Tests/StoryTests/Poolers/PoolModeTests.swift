// SPDX-License-Identifier: Apache-2.0
// PgBouncer's other modes, and a migration on its way through one: each works as the operations page says, or is named.

import Composition
import Postgres
import Schema
import TestSupport
import Testing

@Suite(
    .enabled(
        if: PrivatePgBouncer.isInstalled,
        "PgBouncer is not installed, so nothing is tested behind a pooler; `scripts/setup` installs it")
)
struct PoolModeTests {
    @Test func `behind a pooler in session mode a service that is told works, also when its direct way leads there`()
        async throws
    {
        try await PooledPlace.with(mode: .session) { place in
            try await place.run { story in try await story.signUp("u-1") }
            let settings = try await place.settings(["DATABASE_DIRECT_URL": place.otherWay])
            try await Story.withNode(settings) { _ in }
        }
    }

    @Test(arguments: PrivatePgBouncer.Options.allCases)
    func `behind a pooler in session mode a service that is not told does not start`(
        options: PrivatePgBouncer.Options
    ) async throws {
        try await PooledPlace.with(mode: .session, options: options) { place in
            try await place.expectRefusal(try await place.settingsWithoutPooler(), naming: "DIALTONE_POOLER")
        }
    }

    @Test func `a pooler in statement mode is named, whichever setting leads there`() async throws {
        try await PooledPlace.with(mode: .statement, options: .dropped) { place in
            try await place.expectRefusal(
                try await place.settings(), naming: "DATABASE_URL", "statement mode", "pool_mode")
            try await place.expectRefusal(try await place.settingsWithoutPooler(), naming: "DATABASE_URL", "pooler")
            let direct = try #require(place.flags["DATABASE_DIRECT_URL"])
            let settings = try await place.settings([
                "DATABASE_URL": direct, "DIALTONE_POOLER": nil, "DATABASE_DIRECT_URL": place.otherWay,
            ])
            try await place.expectRefusal(settings, naming: "DATABASE_DIRECT_URL")
        }
    }

    /// Three settings lead there: the pooler is known and there is no direct way, it is not known, and the direct way.
    @Test(arguments: [PrivatePgBouncer.Mode.transaction, .statement])
    func `a migration through a pooler is refused by name, and changes nothing`(
        mode: PrivatePgBouncer.Mode
    ) async throws {
        try await PooledPlace.with(mode: mode) { place in
            try await place.database.admin.script("delete from dialtone.schema_migrations where version = 8")
            let ways: [[String: String?]] = [
                ["DATABASE_DIRECT_URL": nil], ["DATABASE_DIRECT_URL": nil, "DIALTONE_POOLER": nil],
                ["DATABASE_DIRECT_URL": place.otherWay],
            ]
            for way in ways {
                let administration = Administration(try await place.settings(way))
                let error = await #expect(throws: SchemaError.self) {
                    _ = try await administration.migrate(wait: .seconds(1), tell: { _ in })
                }
                let text = error?.description ?? ""
                #expect(text.contains("pooler") && text.contains("DATABASE_DIRECT_URL"), "\(way.keys): \(text)")
                #expect(!text.contains("sesame"), "\(text)")
            }
            let applied = try await place.database.admin.query(
                "select 1 from dialtone.schema_migrations where version = 8")
            #expect(applied.isEmpty)
        }
    }
}
