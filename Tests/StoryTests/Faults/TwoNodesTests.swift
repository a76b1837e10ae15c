// SPDX-License-Identifier: Apache-2.0
// Two nodes, one database, one provider: each delivery told to both, and still one credential per user.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct TwoNodesTests {
    @Test func aUserToldToBothNodesAtOnceGetsOneCredential() async throws {
        try await Story.with(["DIALTONE_TAG_CAPACITY": "16"]) { story in
            try await story.withSecondNode { other in
                let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                    for number in 1...80 {
                        group.addTask {
                            async let one = story.send("user.created", "u-\(number)", delivery: "d-\(number)")
                            async let two = story.send(
                                "user.created", "u-\(number)", delivery: "d-\(number)", to: other)
                            return try await [one.status, two.status].sorted()
                        }
                    }
                    return try await group.reduce(into: [[Int]]()) { $0.append($1) }
                }
                #expect(statuses.allSatisfy { $0 == [200, 202] }, "one node accepts, the other knows it")
                try await story.until(
                    "select 1 from dialtone.users having count(*) filter (where status = 'ready') = 80")
            }
            let counts = try await story.provider("/control/counts")
            #expect(counts.contains("\"live\":80"))
            #expect(counts.ranges(of: "\"creates\":1,\"deletes\":0").count == 80)
            let tags = try await story.database.admin.query(
                "select count(*) from dialtone.credentials group by tag having count(*) > 16")
            #expect(tags.isEmpty)
            #expect(try await story.database.admin.query("select 1 from dialtone.jobs").isEmpty)
        }
    }

    /// The answer to one node's create was lost; whichever node looks finds what it made.
    @Test func aCreateInDoubtIsFoundByWhicheverNodeLooks() async throws {
        let quick = ["DIALTONE_HTTP_DEADLINE": "2s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "8s"]
        try await Story.with(quick) { story in
            try await story.fault("drop_after_commit", times: 1)
            _ = try await story.send("user.created", "u", delivery: "d")
            try await story.until("select 1 from dialtone.jobs where state = 'in_doubt'")
            try await story.withSecondNode { _ in
                try await story.until("select 1 from dialtone.users where status = 'ready'")
            }
            let counts = try await story.provider("/control/counts")
            #expect(counts.contains("\"creates\":1,\"deletes\":0") && counts.contains("\"live\":1"))
        }
    }
}
