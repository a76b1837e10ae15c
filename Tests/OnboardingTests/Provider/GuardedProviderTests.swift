// SPDX-License-Identifier: Apache-2.0
// A 429 holds up the kind of call that met it, for as long as the provider asked, and no other kind.

import Model
import Postgres
import ProviderLimits
import Synchronization
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct GuardedProviderTests {
    private typealias Call = @Sendable (GuardedProvider) async throws -> Void

    private static let id = ProviderID(rawValue: "p")
    private static let calls: [(name: String, call: Call)] = [
        ("list", { _ = try await $0.list(ListQuery(), page: 1) }),
        ("listAll", { _ = try await $0.listAll(ListQuery(), until: .now + .seconds(60)) }),
        ("listWhole", { _ = try await $0.listWhole(ListQuery(), until: .now + .seconds(60)) }),
        ("retrieve", { _ = try await $0.retrieve(Self.id) }), ("delete", { _ = try await $0.delete(Self.id) }),
    ]

    /// The kinds that go on. What stops the jobs stops the sweep too; the sweep stops nobody else.
    private static let going: [CallKind: [CallKind]] = [
        .looks: [.tokens], .sweep: [.tokens, .creates, .looks, .deletes],
    ]

    @Test(arguments: [CallKind.looks, .sweep], [nil, Duration.seconds(300)])
    func `a 429 pauses the kind of the call that met it`(_ met: CallKind, _ wait: Duration?) async throws {
        try await TestDatabase.with { database in
            for (name, call) in Self.calls {
                try await database.admin.script("delete from dialtone.provider_limits")
                let limits = ProviderLimits(pool: database.pool)
                let provider = GuardedProvider(api: LimitedProvider(wait: wait), limits: limits, kind: met)
                let failure = await #expect(throws: TelnyxFailure.self) { try await call(provider) }
                #expect(failure?.kind == .rateLimited, "\(name)")
                // The length of the pause is read in the database, because a short one may be over by now.
                let asked = wait ?? .seconds(1)
                let paused = try await database.admin.query(
                    """
                    select scope from dialtone.provider_limits
                    where paused_until between clock_timestamp() + \(asked) - interval '60 seconds'
                      and clock_timestamp() + \(asked)
                    """
                ).map { try $0.decode(String.self) }
                #expect(paused == [met == .sweep ? "kind:sweep" : "kind:jobs"], "\(name)")
                guard wait != nil else { continue }
                for kind in CallKind.allCases {
                    let isAllowed = try await limits.allows(kind)
                    #expect(isAllowed == Self.going[met]?.contains(kind), "\(name): \(kind)")
                }
            }
        }
    }

    @Test func `a call without a permit is not sent, and fails as if it had met the 429`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.pause(.looks, for: .seconds(100))
            let api = ScriptedProvider { _ in }
            let provider = GuardedProvider(api: api, limits: limits)
            let failure = await #expect(throws: TelnyxFailure.self) {
                _ = try await provider.listAll(ListQuery(name: "n"))
            }
            #expect(failure?.kind == .rateLimited && (failure?.retryAfter ?? .zero) > .seconds(80))
            #expect(api.lists.isEmpty)
        }
    }

    @Test func `a call of a worker's sweep takes a turn in the sweep's scope, and a permit of the budget`() async throws
    {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(1000)
            let provider = GuardedProvider(api: PagedProvider(), limits: limits).forSweep(.visits)
            _ = try await provider.list(ListQuery(), page: 1)
            let granted = try await database.admin.query(
                "select scope, granted from dialtone.provider_budget order by scope"
            ).map { try $0.decode(String.self, [Int32].self) }
            #expect(granted.map(\.0) == ["account", "sweep"])
            #expect(granted.map(\.1) == [[0, 0, 0, 0, 1], [0, 1, 0, 0, 0]])
        }
    }

    @Test func `a sweep that an operator runs has the looks' part of the budget, and their pause`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(1000)
            let provider = GuardedProvider(api: PagedProvider(), limits: limits, kind: .sweep, right: .looks)
            _ = try await provider.list(ListQuery(), page: 1)
            let looks = try await database.admin.query("select granted[3]::bigint from dialtone.provider_budget")
                .first?.decode(Int64.self)
            #expect(looks == 1)
            await limits.pause(.sweep, for: .seconds(100))
            _ = try await provider.list(ListQuery(), page: 1)
            let isAllowed = try await provider.allowsCalls()
            #expect(isAllowed, "what stops the workers' visits does not stop it")
            await limits.pause(.looks, for: .seconds(100))
            let failure = await #expect(throws: TelnyxFailure.self) {
                _ = try await provider.list(ListQuery(), page: 1)
            }
            #expect(failure?.isHeldBack == true)
        }
    }

    // MARK: Patience

    @Test func `a call with patience waits for the end of a pause, and says so`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.pause(.looks, for: .seconds(100))
            let time = SleptTime()
            let told = Mutex<[String]>([])
            let passing = time.passing {
                try await database.admin.script("delete from dialtone.provider_limits")
                // It makes this node forget the rows that it has read.
                await limits.pause(.tokens, for: .zero)
            }
            let patience = CallPatience(.seconds(960), time: passing) { line in told.withLock { $0.append(line) } }
            let provider = GuardedProvider(
                api: PagedProvider(), limits: limits, kind: .sweep, right: .looks, patience: patience)
            let page = try await provider.list(ListQuery(), page: 1)
            #expect(page.credentials.count == 1)
            #expect(time.total > .seconds(80) && time.total <= .seconds(100))
            let lines = told.withLock { $0 }
            #expect(lines.count == 1 && lines.first?.hasPrefix("calls are held back for ") == true)
        }
    }

    @Test func `a call with patience that meets a 429 is made again, and pauses no call of jobs`() async throws {
        try await TestDatabase.with { database in
            let (limits, time) = (ProviderLimits(pool: database.pool), SleptTime())
            let api = OnceLimitedProvider(wait: .seconds(300))
            let provider = GuardedProvider(
                api: api, limits: limits, kind: .sweep, right: .looks,
                patience: CallPatience(.seconds(960), time: time.passing()))
            _ = try await provider.list(ListQuery(), page: 1)
            #expect(api.calls == 2 && time.total == .seconds(300))
            let (areLooksAllowed, isSweepAllowed) = (try await limits.allows(.looks), try await limits.allows(.sweep))
            #expect(areLooksAllowed && !isSweepAllowed)
        }
    }

    @Test func `a pause that outlasts the patience is not waited for, and no call is sent into it`() async throws {
        try await TestDatabase.with { database in
            let (limits, time) = (ProviderLimits(pool: database.pool), SleptTime())
            let api = OnceLimitedProvider(wait: .seconds(300))
            let provider = GuardedProvider(
                api: api, limits: limits, kind: .sweep, right: .looks,
                patience: CallPatience(.seconds(60), time: time.passing()))
            for _ in 0..<2 {
                let failure = await #expect(throws: TelnyxFailure.self) {
                    _ = try await provider.list(ListQuery(), page: 1)
                }
                #expect(failure?.kind == .rateLimited)
            }
            #expect(api.calls == 1 && time.total == .zero)
        }
    }

    @Test func `each page of a list takes a permit of its own`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(1000)
            let provider = GuardedProvider(api: PagedProvider(), limits: limits)
            _ = try await provider.listAll(ListQuery())
            let looks = try await database.admin.query(
                "select sum(granted[3])::bigint from dialtone.provider_budget"
            ).first?.decode(Int64.self)
            #expect(looks == 3)
        }
    }
}

/// A provider with a list of three pages, the last of which is empty.
private struct PagedProvider: TelephonyCredentialsAPI {
    private var failure: TelnyxFailure { TelnyxFailure(.notFound) }

    func create(_ request: CreateRequest) async -> CreateOutcome { .notSent("scripted") }
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        let shown = TelephonyCredential(
            id: ProviderID(rawValue: "p\(page)"), name: nil, sipUsername: "user", sipPassword: Secret("password"))
        return CredentialPage(credentials: page < 3 ? [shown] : [], totalPages: nil, totalResults: 2)
    }
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential { throw self.failure }
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace { throw self.failure }
    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken { throw self.failure }
}

/// A provider that answers each call with a 429.
private struct LimitedProvider: TelephonyCredentialsAPI {
    /// What the answer asks for; nil when it says nothing.
    let wait: Duration?

    private var failure: TelnyxFailure { TelnyxFailure(.rateLimited, ProviderTrace(), retryAfter: self.wait) }

    func create(_ request: CreateRequest) async -> CreateOutcome {
        .rateLimited(self.wait ?? .seconds(1), ProviderTrace())
    }
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage { throw self.failure }
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential { throw self.failure }
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace { throw self.failure }
    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken { throw self.failure }
}

/// A provider that answers its first call with a 429.
private final class OnceLimitedProvider: TelephonyCredentialsAPI {
    private let wait: Duration
    private let count = Mutex(0)

    init(wait: Duration) { self.wait = wait }

    var calls: Int { self.count.withLock { $0 } }

    func create(_ request: CreateRequest) async -> CreateOutcome { .notSent("scripted") }
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        let number = self.count.withLock { count in
            count += 1
            return count
        }
        if number == 1 { throw TelnyxFailure(.rateLimited, ProviderTrace(), retryAfter: self.wait) }
        return CredentialPage(credentials: [], totalPages: nil, totalResults: 0)
    }
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential { throw self.failure }
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace { throw self.failure }
    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken { throw self.failure }

    private var failure: TelnyxFailure { TelnyxFailure(.notFound) }
}
