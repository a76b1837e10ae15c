// SPDX-License-Identifier: Apache-2.0
// People paste what they have: each kind of id leads to its user or event, in its own tenant alone.

import Foundation
import Model
import Postgres
import TestSupport
import Testing
import Vault

@testable import Directory

@Suite struct FinderTests {
    private static let event = "019ab000-0000-7000-8000-00000000000a"
    private static let action = "019ab000-0000-7000-8000-00000000000b"
    private static let source = "00000000-0000-0000-0000-00000000000a"

    /// A tenant with a user of whom everything is known.
    private static func with(_ work: (TestDatabase, Finder, Vault) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let (queries, vault) = try DirectoryBed.queries(database)
            try await database.insert(
                Ledger.tenant(), Ledger.user(testUserKey, status: .ready),
                Ledger.credential(ProviderID(rawValue: "11111111-1"), of: testUserKey),
                Ledger.surplus(ProviderID(rawValue: "cred-2"), of: testUserKey),
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values (\(Self.source)::uuid, \(testTenant), 'app', 'hk_1', 'standard')
                """,
                """
                insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                             outcome)
                values (now(), \(Self.event)::uuid, \(Self.source)::uuid, 'msg_1', \(testTenant), \(testUser), 'live',
                        'accepted')
                """,
                """
                insert into dialtone.actions (action_id, generation, action, request_id, tenant_id, user_id)
                values (\(Self.action)::uuid, 1, 'rotate', 'r-1', \(testTenant), \(testUser))
                """,
                """
                insert into dialtone.api_keys (key_id, tenant_id, hash, scopes)
                values ('kOdELi', \(testTenant), sha256('k'), array['users:read'])
                """)
            let sealer = try await vault.sealer(for: testTenant.rawValue)
            try await database.insert(
                """
                update dialtone.credentials
                set username_index = \(Bytes(sealer.blindIndex("gencred1", column: "sip_username")))
                """,
                """
                insert into dialtone.person_names (tenant_id, user_id, sealed, email_index, told_at)
                values (\(testTenant), \(testUser), '', \(Bytes(sealer.blindIndex("ada@example.com", column: "email"))), now())
                """)
            try await work(database, queries.finder, vault)
        }
    }

    private static let pasted: [(String, String, String)] = [
        (testUser.rawValue, "user", testUser.rawValue),
        (String(testUser.rawValue.prefix(4)), "user", testUser.rawValue),
        ("gencred1", "user", testUser.rawValue), ("Ada@Example.com", "user", testUser.rawValue),
        ("11111111-1", "user", testUser.rawValue), ("cred-2", "user", testUser.rawValue),
        (" \(Self.event) ", "event", Self.event), ("msg_1", "event", Self.event), ("app:msg_1", "event", Self.event),
        ("r-1", "user", testUser.rawValue), (Self.action, "user", testUser.rawValue), ("kOdELi", "key", "kOdELi"),
        ("dtk_kOdELi_…", "key", "kOdELi"), ("019ab000-0000-7000-8000-00000000000B", "user", testUser.rawValue),
    ]

    @Test(arguments: Self.pasted)
    func `what people paste leads to what it belongs to`(_ text: String, _ kind: String, _ id: String) async throws {
        try await Self.with { _, finder, _ in
            let found = try await finder.find(text, in: testTenant, as: Reader(tenant: testTenant))
            #expect(found.map(\.kind) == [kind] && found.map(\.id) == [id], "\(found)")
        }
    }

    @Test(arguments: ["created-u-9", "app:created-u-9"])
    func `an event is found by the sender's id of its delivery where the ledger has a hash of it`(
        _ text: String
    ) async throws {
        try await Self.with { database, finder, _ in
            try await database.insert(
                """
                update dialtone.events
                set delivery_id = 'sha256:' || encode(sha256(convert_to(
                    source_id::text || ':created-u-9', 'UTF8')), 'hex')
                """)
            let found = try await finder.find(text, in: testTenant, as: Reader(tenant: testTenant))
            #expect(found.map(\.kind) == ["event"] && found.map(\.id) == [Self.event], "\(found)")
        }
    }

    @Test(arguments: Self.pasted.map(\.0))
    func `to another tenant it belongs to nothing`(_ text: String) async throws {
        try await Self.with { database, finder, _ in
            try await database.insert(Ledger.tenant(try TenantID("globex")))
            let stranger = Reader(tenant: try TenantID("globex"))
            for tenant in [testTenant, try TenantID("globex")] {
                let found = try await finder.find(text, in: tenant, as: stranger)
                #expect(found.isEmpty)
            }
        }
    }

    @Test func `an event and an API key are found with the scope for them, and without it not`() async throws {
        try await Self.with { _, finder, _ in
            let cases: [(String, Scope)] = [
                (Self.event, .eventsRead), ("msg_1", .eventsRead), ("kOdELi", .keysRead),
            ]
            for (text, scope) in cases {
                let reader = Reader(tenant: testTenant)
                let shown = try await finder.find(text, in: testTenant, as: reader, with: [.usersRead, scope])
                let others = Set(Scope.allCases.filter { $0 != scope })
                let hidden = try await finder.find(text, in: testTenant, as: reader, with: others)
                #expect(shown.count == 1 && hidden.isEmpty, "\(text)")
            }
        }
    }

    @Test(arguments: ["", "   ", "nobody", "app:nothing", "019ab000-0000-7000-8000-0000000000ff", "a\u{0}b"])
    func `what is not known is not found`(_ text: String) async throws {
        try await Self.with { _, finder, _ in
            let found = try await finder.find(text, in: testTenant, as: Reader(tenant: testTenant))
            #expect(found.isEmpty)
        }
    }
}
