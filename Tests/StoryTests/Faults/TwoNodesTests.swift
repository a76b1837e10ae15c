// SPDX-License-Identifier: Apache-2.0
// Two nodes, one database, one provider: each delivery told to both, and still one credential per user.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct TwoNodesTests {
    @Test func `a user told to both nodes at once gets one credential`() async throws {
        try await Story.with(["DIALTONE_TAG_CAPACITY": "16"]) { story in
            try await story.withSecondNode { other in
                let statuses = try await Self.tellBoth(story, other, users: 80)
                #expect(statuses.allSatisfy { $0 == [200, 202] }, "one node accepts, the other knows it")
                try await story.waitUntil(80, are: .ready)
            }
            #expect(try await story.provider.live() == 80)
            let calls = try await story.provider.callsPerName()
            #expect(calls == Array(repeating: .init(creates: 1, deletes: 0), count: 80))
            #expect(try await story.credentialsPerTag().values.allSatisfy { $0 <= 16 })
            #expect(try await story.jobCount() == 0)
        }
    }

    /// The statuses of the two answers about each user, the smaller first.
    private static func tellBoth(_ story: Story, _ other: String, users: Int) async throws -> [[Int]] {
        try await withThrowingTaskGroup(of: [Int].self) { group in
            for number in 1...users {
                group.addTask {
                    async let one = story.send(.created, "u-\(number)", delivery: "d-\(number)")
                    async let two = story.send(.created, "u-\(number)", delivery: "d-\(number)", to: other)
                    return try await [one.status, two.status].sorted()
                }
            }
            return try await group.reduce(into: [[Int]]()) { $0.append($1) }
        }
    }

    /// The answer to one node's create is lost.
    @Test func `a create in doubt is found by whichever node looks`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.misbehaves(.lostAnswer)
            _ = try await story.send(.created, "u", delivery: "d")
            try await story.waitUntilJob(of: "u", is: .inDoubt)
            try await story.withSecondNode { _ in try await story.waitUntil("u", is: .ready) }
            #expect(try await story.provider.callsPerName() == [.init(creates: 1, deletes: 0)])
            #expect(try await story.provider.live() == 1)
        }
    }
}
