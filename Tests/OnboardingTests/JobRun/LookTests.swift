// SPDX-License-Identifier: Apache-2.0
// A look adopts the credential with our name, whatever the list makes of it, and does not take an expired one.

import Model
import Postgres
import Queue
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct LookTests {
    @Test func `a credential whose name the provider has cut short is recognised as ours`() async throws {
        try await JobRunBed.with { bed in
            let cut = String(JobRunBed.name.prefix(44))
            let provider = ScriptedProvider { $0.list = { _ in [.shown("p", named: cut)] } }
            let result = try await bed.run(.looking(), on: provider)
            guard case .owned(let evidence) = result else { throw UnexpectedResult(result: result) }
            #expect(evidence.providerID.rawValue == "p")
        }
    }

    @Test func `an expired credential with our name counts as absent`() async throws {
        try await JobRunBed.with { bed in
            let provider = ScriptedProvider {
                $0.list = { _ in [.shown("p", named: JobRunBed.name, isExpired: true)] }
            }
            let result = try await bed.run(.looking(quietIn: .seconds(9)), on: provider)
            #expect(result.moved?.to == .inDoubt && result.moved?.empties == 1)
        }
    }

    /// Pages shift while other credentials are made, so one credential may be on two of them.
    @Test func `a credential that a list shows twice is adopted once`() async throws {
        try await JobRunBed.with { bed in
            let provider = ScriptedProvider {
                $0.list = { _ in Array(repeating: .shown("p", named: JobRunBed.name), count: 2) }
            }
            let result = try await bed.run(.looking(), on: provider)
            guard case .owned = result else { throw UnexpectedResult(result: result) }
            #expect(try await bed.database.admin.query("select 1 from dialtone.surplus").isEmpty)
        }
    }
}
