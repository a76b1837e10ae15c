// SPDX-License-Identifier: Apache-2.0
// A 429 holds up the kind of call that met it, for as long as the provider asked, and no other kind.

import Model
import Postgres
import ProviderLimits
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
    private static let going: [CallKind: [CallKind]] = [.creates: [.tokens], .sweep: [.tokens, .creates]]

    @Test(arguments: [CallKind.creates, .sweep], [nil, Duration.seconds(300)])
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
                #expect(paused == ["kind:\(met.rawValue)"], "\(name)")
                guard wait != nil else { continue }
                for kind in CallKind.allCases {
                    let isAllowed = try await limits.allows(kind)
                    #expect(isAllowed == Self.going[met]?.contains(kind), "\(name): \(kind)")
                }
            }
        }
    }
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
