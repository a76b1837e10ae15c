// SPDX-License-Identifier: Apache-2.0
// The service behind PgBouncer in transaction mode: told of it the story works, not told of it no process starts.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite(
    .enabled(
        if: PrivatePgBouncer.isInstalled,
        "PgBouncer is not installed, so nothing is tested behind a pooler; `scripts/setup` installs it")
)
struct PgBouncerTests {
    @Test func `behind a pooler a sign-up becomes a credential and a token, and a deletion takes both away`()
        async throws
    {
        try await PooledPlace.with { place in
            try await place.run { story in
                #expect(try await story.send(.created, "u-1", delivery: "msg_1").status == 202)
                #expect(try await story.loginToken(for: "u-1", wait: 20).status == 200)
                #expect(try await story.credentials(of: "u-1") == [.init(1, .active)])
                let read = try await story.request(
                    .GET, "/v1/tenants/acme/users/u-1", "", ["authorization": "Bearer \(story.key)"])
                #expect(read.status == 200, "\(read.body)")

                #expect(try await story.send(.deleted, "u-1", delivery: "msg_2").status == 202)
                try await story.waitUntil("u-1", is: .revoked)
                #expect(try await story.loginToken(for: "u-1").status == 410)
                #expect(try await story.provider.live() == 0)
            }
        }
    }

    /// The pooler has four server sessions. A setting or a prepared statement that a transaction leaves in one of them
    /// meets another user's transaction.
    @Test func `behind a pooler thirty users get one credential each`() async throws {
        try await PooledPlace.with { place in
            try await place.run { story in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...30 {
                        group.addTask {
                            try await story.send(.created, "u-\(number)", delivery: "msg_\(number)").status
                        }
                    }
                    for try await status in group { #expect(status == 202) }
                }
                try await story.waitUntil(30, are: .ready)
                #expect(try await story.provider.live() == 30)
                #expect(try await story.provider.callsInAll() == .init(creates: 30, deletes: 0))
            }
        }
    }

    @Test(arguments: PrivatePgBouncer.Options.allCases)
    func `a service that is not told of its pooler does not start, and check fails, and both name DIALTONE_POOLER`(
        options: PrivatePgBouncer.Options
    ) async throws {
        try await PooledPlace.with(options: options) { place in
            try await place.expectRefusal(try await place.settingsWithoutPooler(), naming: "DIALTONE_POOLER")
        }
    }

    @Test func `a direct way that leads through a pooler is refused by the setting's name`() async throws {
        try await PooledPlace.with { place in
            let settings = try await place.settings(["DATABASE_DIRECT_URL": place.otherWay])
            try await place.expectRefusal(settings, naming: "DATABASE_DIRECT_URL", "the server itself")
        }
    }

    /// What follows a lock must see what its holder has committed, and no session can be told so here.
    @Test(arguments: ["repeatable read", "serializable"])
    func `behind a pooler another default isolation is refused until the login has read committed`(
        isolation: String
    ) async throws {
        try await PooledPlace.with { place in
            try await place.database.admin.script(
                "alter role \(place.login) set default_transaction_isolation = '\(isolation)'")
            try await place.expectRefusal(
                try await place.settings(), naming: isolation, "set default_transaction_isolation = 'read committed'")
            try await place.database.admin.script(
                "alter role \(place.login) set default_transaction_isolation = 'read committed'")
            try await place.letPoolerConnectAnew()
            try await place.run { story in try await story.signUp("u-1") }
        }
    }

    @Test(arguments: [[:], ["DIALTONE_DURABILITY": "storage"]])
    func `behind a pooler a login whose commits do not wait for the disk is refused, whatever the storage is`(
        durability: [String: String]
    ) async throws {
        try await PooledPlace.with { place in
            try await place.database.admin.script("alter role \(place.login) set synchronous_commit = off")
            let settings = try await place.settings(durability.mapValues { $0 })
            try await place.expectRefusal(settings, naming: "synchronous_commit")
        }
    }

    @Test func `behind a pooler a login that does not inherit is refused, and the message's lines mend it`()
        async throws
    {
        try await PooledPlace.with { place in
            let isNew = try await place.database.admin.query(
                "select 1 where current_setting('server_version_num')::integer >= 160000")
            let withoutRights =
                isNew.isEmpty
                ? "alter role \(place.login) noinherit"
                : "grant dialtone_service to \(place.login) with inherit false"
            try await place.database.admin.script(withoutRights)
            try await place.expectRefusal(
                try await place.settings(), naming: place.login, "inherit", "dialtone_service")
            try await place.database.admin.script("alter role \(place.login) inherit")
            if !isNew.isEmpty {
                try await place.database.admin.script("grant dialtone_service to \(place.login) with inherit true")
            }
            try await place.letPoolerConnectAnew()
            try await place.run { story in try await story.signUp("u-1") }
        }
    }
}
