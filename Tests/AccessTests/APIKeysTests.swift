// SPDX-License-Identifier: Apache-2.0
// An API key is checked by its form, stored as a hash, and limited to its own tenant and scopes.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Access

@Suite struct APIKeysTests {
    private let now = Date(timeIntervalSince1970: 1_700_000_000)

    @Test func `a key reaches only its own tenant and scopes, and only its hash is stored`() async throws {
        try await Self.withKeys { keys, database in
            let acme = try TenantID("acme")
            let (id, text) = try await keys.create(tenant: acme, scopes: [.usersRead])
            let caller = try await keys.authenticate(text.reveal(), now: self.now)
            #expect(caller.reaches(acme) && caller.may(.usersRead) && !caller.may(.loginTokensCreate))
            #expect(!caller.reaches(try TenantID("globex")))
            let stored = try await database.admin.query(
                "select octet_length(hash), to_jsonb(api_key)::text from dialtone.api_keys api_key where key_id = \(id)"
            ).first
            let (length, row) = try #require(try stored?.decode(Int32.self, String.self))
            let secret = try #require(APIKey(text.reveal())).secret.reveal()
            #expect(length == 32 && !row.contains(secret))
        }
    }

    @Test func `a mistyped key is recognised by its checksum`() async throws {
        var generator = SystemRandomNumberGenerator()
        let text = APIKey.make(using: &generator).text.reveal()
        #expect(APIKey(text) != nil)
        for place in text.indices {
            var wrong = text
            wrong.replaceSubrange(place...place, with: text[place] == "x" ? "y" : "x")
            #expect(APIKey(wrong) == nil, "a wrong character at \(text.distance(from: text.startIndex, to: place))")
        }
        for wrong in ["", "dtk_", String(text.dropLast()), text + "0", text.replacing("dtk", with: "abc")] {
            #expect(APIKey(wrong) == nil)
        }
    }

    @Test func `revoked, expired and unknown keys are refused with the same error`() async throws {
        try await Self.withKeys { keys, database in
            let (revoked, first) = try await keys.create(tenant: nil, scopes: Scope.allCases)
            let (expired, second) = try await keys.create(tenant: nil, scopes: Scope.allCases)
            #expect(try await keys.revoke(revoked))
            #expect(try await !keys.revoke(revoked), "a key is revoked once")
            _ = try await database.admin.query(
                "update dialtone.api_keys set expires_at = \(self.now) where key_id = \(expired)")
            var generator = SystemRandomNumberGenerator()
            let unknown = APIKey.make(using: &generator).text
            for key in [first, second, unknown] {
                await #expect(throws: AccessError.unknownOrRevoked) {
                    try await keys.authenticate(key.reveal(), now: self.now)
                }
            }
        }
    }

    @Test func `a key that another node has revoked is refused within a second`() async throws {
        try await Self.withKeys { keys, database in
            let (id, text) = try await keys.create(tenant: nil, scopes: [.usersRead])
            _ = try await keys.authenticate(text.reveal(), now: self.now)
            #expect(try await APIKeys(pool: database.pool).revoke(id))
            await #expect(throws: AccessError.unknownOrRevoked) {
                try await keys.authenticate(text.reveal(), now: self.now.addingTimeInterval(1))
            }
        }
    }

    @Test func `ten thousand invented keys leave a known one in memory`() async throws {
        try await Self.withKeys { keys, database in
            let text = try await keys.create(tenant: nil, scopes: [.usersRead]).text.reveal()
            _ = try await keys.authenticate(text, now: self.now)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<1300 {
                            var generator = SystemRandomNumberGenerator()
                            let invented = APIKey.make(using: &generator).text.reveal()
                            await #expect(throws: AccessError.unknownOrRevoked) {
                                try await keys.authenticate(invented, now: self.now)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            // From here on a key that is not in memory cannot be had.
            try await database.admin.script("alter table dialtone.api_keys rename to gone")
            let caller = try await keys.authenticate(text, now: self.now)
            #expect(caller.may(.usersRead))
        }
    }

    @Test func `many requests with one key read it once, and guesses have 64 reads of their own`() async throws {
        try await Self.withKeys { keys, database in
            let text = try await keys.create(tenant: nil, scopes: [.usersRead]).text.reveal()
            _ = try await keys.authenticate(text, now: self.now)
            try await database.admin.script("begin; lock table dialtone.api_keys")
            let (ends, ended) = AsyncStream<AccessError?>.makeStream()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    var generator = SystemRandomNumberGenerator()
                    let invented = APIKey.make(using: &generator).text.reveal()
                    group.addTask { ended.yield(await Self.refusal(of: invented, keys, self.now)) }
                }
                while database.pool.counts.leased + database.pool.counts.waiting < 64 { await Task.yield() }
                var generator = SystemRandomNumberGenerator()
                let more = APIKey.make(using: &generator).text.reveal()
                #expect(await Self.refusal(of: more, keys, self.now) == .tooManyUnknown)
                for _ in 0..<40 {
                    group.addTask { ended.yield(await Self.refusal(of: text, keys, self.now + 1)) }
                }
                while database.pool.counts.leased + database.pool.counts.waiting < 65 { await Task.yield() }
                _ = try? await database.admin.script("commit")
                var refusals: [AccessError?] = []
                for await refusal in ends.prefix(104) { refusals.append(refusal) }
                #expect(refusals.filter { $0 == .unknownOrRevoked }.count == 64)
                #expect(refusals.filter { $0 == nil }.count == 40)
            }
        }
    }

    private static func refusal(of text: String, _ keys: APIKeys, _ now: Date) async -> AccessError? {
        do throws(AccessError) {
            _ = try await keys.authenticate(text, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a request needs exactly one well-formed bearer header`() throws {
        #expect(try AuthorizationHeader.bearer(["bearer abc"]) == "abc")
        #expect(throws: AccessError.missing) { try AuthorizationHeader.bearer([]) }
        for wrong in [["abc"], ["Basic abc"], ["Bearer"], ["Bearer a", "Bearer a"]] {
            #expect(throws: AccessError.malformed) { try AuthorizationHeader.bearer(wrong) }
        }
    }

    private static func withKeys(_ work: (APIKeys, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tenant(try TenantID("globex"), connection: "2"))
            try await work(APIKeys(pool: database.pool), database)
        }
    }
}
