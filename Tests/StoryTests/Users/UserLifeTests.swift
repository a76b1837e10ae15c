// SPDX-License-Identifier: Apache-2.0
// A user's later life: revoked at any moment, signed up again, rotated, tried again; both sides agree at the end of
// each.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserLifeTests {
    // MARK: Rotation

    @Test func `a rotation replaces the credential and leaves no other`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            let first = try await story.activeID()
            #expect(try await story.rotate("u", overlap: .zero) == .ready, "the old one serves meanwhile")
            try await story.waitUntilAtRest()
            let second = try await story.activeID()
            #expect(first != second)
            #expect(try await story.provider.ids() == [second])
            #expect(try await story.credentials(of: "u") == [.init(1, .deleted), .init(2, .active)])
        }
    }

    /// The old credential is all the user has, whatever the job was about when the rotation came.
    @Test func `a rotation during doubt keeps the old credential until the new one is there`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            let first = try await story.activeID()
            try await story.putInDoubt("u")
            try await story.rotate("u", overlap: .seconds(3600))
            // The new one cannot be made for now.
            try await story.provider.refuses(.create, with: 403, times: 1000)
            try await story.makeJobsDue()
            try await story.waitUntilCreateIsRefused(of: "u", generation: 2, with: 403)
            #expect(try await story.provider.ids() == [first])
            #expect(try await story.credentials(of: "u") == [.init(1, .active)])
        }
    }

    @Test func `a rotated credential serves for its overlap unless its user is revoked`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.rotate("u", overlap: .seconds(3600))
            try await story.waitUntilCredential(2, of: "u", is: .active)
            try await story.waitUntilJob(of: "u", is: .scheduled)
            #expect(try await story.provider.ids().count == 2)
            #expect(try await story.loginToken(for: "u").status == 200)
            // Rotated once more. The first goes when its hour is over, no sooner and no later.
            try await story.rotate("u", overlap: .seconds(3600))
            try await story.waitUntilCredential(3, of: "u", is: .active)
            #expect(try await story.provider.ids().count == 3)
            try await story.revoke("u")
            try await story.waitUntil("u", is: .revoked)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids().isEmpty)
            #expect(try await story.loginToken(for: "u").status == 410)
        }
    }

    // MARK: Revoke and return

    /// A sender may give no times. Then a sign-up after the delete looks like one from before it.
    @Test func `an operator reopens a user whose sign-up after the delete is superseded`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            await #expect(throws: (any Error).self) { try await story.reopen("u") }
            try await story.revoke("u")
            try await story.waitUntil("u", is: .revoked)
            let late = try await story.send(.created, "u", delivery: "late", at: Date() - 3600)
            #expect(late.outcome == .superseded)
            #expect(try await story.reopen("u") == .pending)
            try await story.waitUntilAtRest()
            #expect(try await story.credentials(of: "u") == [.init(1, .deleted), .init(2, .active)])
            #expect(try await story.provider.ids() == [try await story.activeID()])
        }
    }

    @Test func `a revoked credential is deleted even when its successor cannot be made`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.provider.refuses(.create, with: 403, times: 1000)
            _ = try await story.send(.deleted, "u", delivery: "gone", at: Date() + 1)
            _ = try await story.send(.created, "u", delivery: "back", at: Date() + 2)
            try await story.waitUntilCredential(1, of: "u", is: .deleted)
            #expect(try await story.provider.ids().isEmpty)
            try await story.waitUntilJob(of: "u", isForGeneration: 2)
        }
    }

    /// The delete fails once, so the successor's turn comes first.
    @Test func `a revoked credential whose delete failed is deleted even when its successor cannot be made`()
        async throws
    {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u")
            try await story.provider.misbehaves(
                .refusal(of: .create, with: 403, times: 1000), .refusal(of: .delete, with: 422))
            _ = try await story.send(.deleted, "u", delivery: "gone", at: Date() + 1)
            _ = try await story.send(.created, "u", delivery: "back", at: Date() + 2)
            try await story.waitUntilDeleteIsRefused(of: "u", generation: 1, with: 422)
            try await story.waitUntilCredential(1, of: "u", is: .deleted)
            #expect(try await story.provider.ids().isEmpty)
            try await story.waitUntilJob(of: "u", isForGeneration: 2)
        }
    }

    @Test func `a user deleted during the create ends without a credential`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.misbehaves(.delay(milliseconds: 1000))
            #expect(try await story.send(.created, "u", delivery: "d1").status == 202)
            try await story.waitUntilJob(of: "u", is: .armed)
            #expect(try await story.send(.deleted, "u", delivery: "d2").status == 202)
            try await story.waitUntil("u", is: .revoked)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids().isEmpty)
            #expect(try await story.provider.callsPerName() == [.init(creates: 1, deletes: 1)])
        }
    }

    @Test func `a user deleted in doubt who signs up again ends with one credential of the next generation`()
        async throws
    {
        try await Story.with(Story.quick) { story in
            try await story.provider.misbehaves(.lostAnswer)
            let morning = Date(timeIntervalSinceNow: -100)
            #expect(try await story.send(.created, "u", delivery: "d1", at: morning).status == 202)
            try await story.waitUntilInDoubt("u")
            #expect(try await story.send(.deleted, "u", delivery: "d2", at: morning + 1).status == 202)
            #expect(try await story.send(.created, "u", delivery: "d3", at: morning + 2).status == 202)
            try await story.waitUntil("u", is: .ready, generation: 2)
            try await story.waitUntilAtRest()
            #expect(try await story.provider.ids() == [try await story.activeID()])
        }
    }

    @Test func `reordered deliveries end as their sender meant them`() async throws {
        try await Story.with(Story.quick) { story in
            let morning = Date(timeIntervalSinceNow: -100)
            func send(_ type: Story.EventType, _ user: String, _ second: Int) async throws -> EventOutcome? {
                try await story.send(
                    type, user, delivery: "\(user)-\(second)", at: morning + TimeInterval(second)
                ).outcome
            }
            // A delete comes before the sign-up that it ends.
            #expect(try await send(.deleted, "a", 2) == .accepted)
            #expect(try await send(.created, "a", 1) == .superseded)
            // The newest word on a wish counts, although it changes nothing.
            _ = try await send(.created, "b", 1)
            #expect(try await send(.created, "b", 10) == .duplicate)
            #expect(try await send(.deleted, "b", 5) == .superseded)
            _ = try await send(.deleted, "c", 5)
            #expect(try await send(.deleted, "c", 20) == .duplicate)
            #expect(try await send(.created, "c", 10) == .superseded)
            try await story.waitUntilAtRest()
            #expect(
                try await story.users() == [
                    .init("a", .gone, .revoked), .init("b", .live, .ready), .init("c", .gone, .revoked),
                ])
            #expect(try await story.provider.ids().count == 1)
        }
    }

    // MARK: Failure

    @Test func `a failed user who is tried again is looked for first`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.refuses(.create, with: 422, times: 2)
            _ = try await story.send(.created, "u", delivery: "d")
            try await story.waitUntil("u", is: .failed)
            #expect(try await story.retry("u") == .pending)
            try await story.waitUntil("u", is: .ready)
            try await story.waitUntilAtRest()
            #expect(try await story.looks(for: "u") == 1)
        }
    }

    @Test func `a failed user whose create may have landed is looked for before the revoke ends`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.refuses(.create, with: 422, times: 2)
            _ = try await story.send(.created, "u", delivery: "d1")
            try await story.waitUntil("u", is: .failed)
            try await story.database.admin.script(
                "update dialtone.jobs set in_doubt = true, quiet_until = now() where state = 'dead'")
            _ = try await story.send(.deleted, "u", delivery: "d2")
            try await story.waitUntil("u", is: .revoked)
            #expect(try await story.looks(for: "u") == 1)
        }
    }

    @Test func `a failed user who signs up once more is tried again`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.refuses(.create, with: 422, times: 2)
            _ = try await story.send(.created, "u", delivery: "d1")
            try await story.waitUntil("u", is: .failed)
            #expect(try await story.send(.created, "u", delivery: "d2").outcome == .duplicate)
            try await story.waitUntil("u", is: .ready)
        }
    }
}
