// SPDX-License-Identifier: Apache-2.0
// A look adopts the credential with our name, whatever the list makes of it, and does not take an expired one.

import Lifecycle
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
            #expect(result.moved?.to == .inDoubt)
        }
    }

    /// Absence is believed only after the tag was listed too. An early look only finds, so it asks for the name alone.
    @Test func `a look lists the tag too when it may prove absence`() async throws {
        try await JobRunBed.with { bed in
            let provider = ScriptedProvider.willing()
            _ = try await bed.run(.looking(quietIn: .seconds(9)), on: provider)
            #expect(provider.lists.map(\.tag) == [nil] && provider.creates == 0)
            let job = ClaimedJob.looking(quietIn: .seconds(-1))
            try await bed.insert(job)
            let result = try await bed.run(job, on: provider)
            guard case .owned = result else { throw UnexpectedResult(result: result) }
            #expect(provider.lists.map(\.tag) == [nil, nil, "acme"] && provider.creates == 1)
        }
    }

    /// The list of another job was taken before a visit saw the credential.
    @Test(arguments: [false, true])
    func `a job of whose name a credential was seen lists its tag anew`(mustLook: Bool) async throws {
        try await JobRunBed.with { bed in
            let lists = TagLists()
            _ = try await lists.list(SharedTag(tag: "acme", era: nil), notBefore: .now) {
                () async throws(TelnyxFailure) in []
            }
            var job = ClaimedJob.armed()
            job.life.trust.looksFirst = true
            job.mustLook = mustLook
            try await bed.insert(job)
            let provider = ScriptedProvider.willing()
            _ = try await bed.run(job, on: provider, tagLists: lists)
            #expect(provider.lists.map(\.tag) == (mustLook ? [nil, "acme"] : [nil]))
        }
    }

    /// The name's list shows a known second credential, and misses the one that the tag's list shows.
    @Test func `surplus under our name does not stand for the tag's list`() async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(Ledger.surplus(ProviderID(rawValue: "second")))
            let provider = ScriptedProvider {
                $0.list = { [.shown($0.tag == nil ? "second" : "first", named: JobRunBed.name)] }
            }
            let result = try await bed.run(.looking(quietIn: .seconds(-1)), on: provider)
            guard case .owned(let evidence) = result else { throw UnexpectedResult(result: result) }
            #expect(evidence.providerID.rawValue == "first")
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
