// SPDX-License-Identifier: Apache-2.0
// A question to the provider tells what stands under the id and under the name: live, expired, or another's.

import Foundation
import Model
import ProviderLimits
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct ProviderQuestionTests {
    private static let installation = UUID()
    private static let own = ProviderID(rawValue: "own")

    private static var name: String {
        CredentialName(installation: Self.installation).name(for: testUserKey, generation: 1)
    }

    @Test func `a credential that serves is found by its id and by its name`() async throws {
        try await Self.asking([.shown("own", named: Self.name), .shown("other", named: "another's")]) { answer in
            #expect(answer.byID == .found(isExpired: false, hasName: true))
            #expect(answer.byName == [Self.bearer("own")])
            #expect(answer.calls == 2)
        }
    }

    @Test func `a credential that has expired is told as expired, under its id and under its name`() async throws {
        let shown: [TelephonyCredential] = [
            .shown("own", named: Self.name, isExpired: true), .shown("second", named: Self.name, isExpired: true),
        ]
        try await Self.asking(shown) { answer in
            #expect(answer.byID == .found(isExpired: true, hasName: true))
            #expect(
                answer.byName == [Self.bearer("own", isExpired: true), Self.bearer("second", isExpired: true)])
        }
    }

    @Test func `another name under the id is told, and a name that was cut is the same`() async throws {
        try await Self.asking([.shown("own", named: "another's")]) { answer in
            #expect(answer.byID == .found(isExpired: false, hasName: false) && answer.byName == [])
        }
        try await Self.asking([.shown("own", named: String(Self.name.prefix(40)))]) { answer in
            #expect(answer.byID == .found(isExpired: false, hasName: true) && answer.byName?.count == 1)
        }
        let nameless = TelephonyCredential(id: Self.own, name: nil, sipUsername: nil, sipPassword: nil)
        try await Self.asking([nameless]) { answer in
            #expect(answer.byID == .found(isExpired: false, hasName: nil) && answer.byName == [])
        }
    }

    @Test func `a credential that is not there is told as not found`() async throws {
        try await Self.asking([]) { answer in
            #expect(answer.byID == .notFound && answer.byName == [])
        }
    }

    private static func bearer(_ id: String, isExpired: Bool = false) -> ProviderQuestion.Bearer {
        ProviderQuestion.Bearer(id: ProviderID(rawValue: id), isExpired: isExpired)
    }

    /// Asks a provider that has these credentials for that of generation 1.
    private static func asking(
        _ shown: [TelephonyCredential], _ check: (ProviderQuestion.Answer) -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let provider = VisitProvider()
            for credential in shown { provider.add(credential, to: "acme") }
            let question = ProviderQuestion(
                api: provider, limits: ProviderLimits(pool: database.pool), installation: Self.installation)
            check(await question.ask(testUserKey, generation: 1, id: Self.own))
        }
    }
}
