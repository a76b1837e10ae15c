// SPDX-License-Identifier: Apache-2.0
// A worker is somebody only on the server that it knows, and another worker on every server that it meets.

import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct WorkerIdentityTests {
    @Test func `a worker that has lost its server comes back as another worker`() async throws {
        try await TestDatabase.with { database in
            let identity = WorkerIdentity(
                lease: .seconds(30), landingTime: .seconds(40), tagCapacity: 980, presence: nil)
            #expect(identity.terms == nil, "nothing is claimed from a server nobody knows")
            try await identity.meet(1, on: database.admin)
            let first = try #require(identity.terms)
            #expect(identity.knows(1) && !identity.knows(2))
            identity.forget()
            #expect(identity.terms == nil)
            try await identity.meet(1, on: database.admin)
            #expect(try #require(identity.terms).worker != first.worker)
        }
    }

    @Test func `a loop whose claim was lost goes on under a new id, and the other loop keeps its own`() async throws {
        try await TestDatabase.with { database in
            let identity = WorkerIdentity(
                lease: .seconds(30), landingTime: .seconds(40), tagCapacity: 980, presence: nil)
            try await identity.meet(1, on: database.admin)
            let lost = try #require(identity.terms(of: .queue))
            let looks = try #require(identity.terms(of: .looks))
            #expect(lost.worker != looks.worker && identity.isAmong([looks.worker]))
            try await identity.renew(.queue, after: lost, on: database.admin)
            let renewed = try #require(identity.terms(of: .queue))
            #expect(renewed.worker != lost.worker && identity.terms(of: .looks)?.worker == looks.worker)
            // What is repeated changes nothing.
            try await identity.renew(.queue, after: lost, on: database.admin)
            #expect(identity.terms(of: .queue)?.worker == renewed.worker && !identity.isAmong([lost.worker]))
        }
    }
}
