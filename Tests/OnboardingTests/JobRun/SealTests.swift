// SPDX-License-Identifier: Apache-2.0
// Nothing is created that could not be sealed, and a credential is sealed with the password of its own response.

import Lifecycle
import Model
import Postgres
import Queue
import Telnyx
import TestSupport
import Testing
import Vault

@testable import Onboarding

@Suite struct SealTests {
    @Test func `without the sealing key nothing is created, and a found credential stays in doubt`() async throws {
        try await JobRunBed.with { bed in
            // The tenant's key is wrapped by another key than this process has.
            _ = try await bed.vault.sealer(for: "acme")
            let locked = try bed.withAnotherKey()
            let provider = ScriptedProvider.willing()
            let result = try await locked.run(.armed(), on: provider)
            #expect(result.moved?.to == .scheduled && result.moved?.isFailure == true && provider.creates == 0)
            let there = ScriptedProvider { $0.list = { _ in [.shown("p", named: JobRunBed.name)] } }
            var job = ClaimedJob.looking()
            job.life.failures = 4
            let found = try await locked.run(job, on: there)
            #expect(found.moved?.to == .inDoubt && found.moved?.isCharged == false && found.moved?.isFailure == true)
            #expect(found.moved.map { $0.delay >= .seconds(8) } == true, "not a call a second while the key is away")
        }
    }

    /// The list shows no password. The job asks for the credential by id, and seals the password of that response.
    @Test func `a credential listed without its password is fetched by id`() async throws {
        try await JobRunBed.with { bed in
            let provider = ScriptedProvider {
                $0.list = { _ in
                    [
                        TelephonyCredential(
                            id: ProviderID(rawValue: "p"), name: JobRunBed.name, sipUsername: nil, sipPassword: nil)
                    ]
                }
                $0.there = [ProviderID(rawValue: "p")]
            }
            let result = try await bed.run(.looking(), on: provider)
            guard case .owned(let evidence) = result else { throw UnexpectedResult(result: result) }
            let opened = try await bed.vault.open(
                evidence.sealedPassword,
                .credential("sealed_password", of: testUserKey, generation: 1, ProviderID(rawValue: "p")))
            #expect(opened.reveal() == "password")
        }
    }
}
