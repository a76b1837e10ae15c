// SPDX-License-Identifier: Apache-2.0
// A sender that asks too much is told to come again: nothing is lost, and other senders do not notice.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct BusySenderTests {
    private static let places = 16

    @Test func `a sender that repeats one user is told to come again, and then everything is stored`() async throws {
        try await Self.whileACommitWaits { story, http in
            let total = Self.places + 4
            let replies = try await withThrowingTaskGroup(of: (Int, Story.Reply, Duration).self) { group in
                for number in 0..<total {
                    group.addTask {
                        let start = ContinuousClock.now
                        return (number, try await story.flood(number, http), ContinuousClock.now - start)
                    }
                }
                var refused: [Int] = []
                var statuses: [Int] = []
                for try await (number, reply, time) in group {
                    statuses.append(reply.status)
                    guard reply.status == 503 else { continue }
                    #expect(reply.problem?.code == "busy" && reply.headers.first(name: "retry-after") == "1")
                    #expect(time >= .milliseconds(500), "the next request of a sender that asks too much waits")
                    refused.append(number)
                    // The places are taken now. What waits in them is let go.
                    if refused.count == total - Self.places { try await story.database.admin.script("commit") }
                }
                #expect(statuses.filter { (200..<300).contains($0) }.count == Self.places)
                return refused
            }
            for number in replies {
                let again = try await story.flood(number, http)
                #expect(again.status == 200 && again.outcome == .duplicate)
            }
            #expect(try await story.eventCount() == total + 1)
        }
    }

    @Test func `senders that leave lose nothing that was taken, and their places are free again`() async throws {
        try await Self.whileACommitWaits { story, http in
            for round in 0..<2 {
                if round > 0 { try await story.holdCommits("held-\(round)", http) }
                let first = round * 100
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in first..<first + Self.places + 3 {
                        group.addTask { (try? await story.flood(number, http).status) ?? 0 }
                    }
                    for _ in 0..<3 {
                        let status = try await group.next()
                        #expect(status == 503)
                    }
                    // All places are taken, and now every sender leaves.
                    group.cancelAll()
                    try await group.waitForAll()
                }
                try await story.database.admin.script("commit")
                try await story.until(
                    "select 1 from dialtone.events having count(*) = \(Int64((round + 1) * (Self.places + 1)))")
            }
        }
    }

    @Test func `an event that asks nothing is answered and not stored, also while the database is held`() async throws {
        try await Self.whileACommitWaits { story, http in
            let body = "{\"type\":\"user.renamed\"}"
            for _ in 0..<2 {
                let reply = try await http.reply(
                    .POST, story.address + story.hookPath, body, try story.signed(body, id: "same"))
                #expect(reply.status == 200 && reply.outcome == .ignored)
            }
            try await story.database.admin.script("commit")
            #expect(try await story.send(.created, "other", delivery: "same").status == 202, "the id was not used up")
            try await story.until("select 1 from dialtone.events having count(*) = 2")
            #expect(try await story.rows("select outcome from dialtone.events") == ["accepted", "accepted"])
        }
    }

    @Test func `a source above its rate is told when to come again, and another source is not`() async throws {
        try await Story.with(["DIALTONE_SOURCE_RATE": "1"]) { story in
            let other = try await Administration(story.settings).createSource(
                "other", tenant: TenantID("acme"), allowed: [], preset: "standard")
            var replies: [Story.Reply] = []
            while replies.last?.status != 503 {
                try #require(replies.count < 1000, "the rate is not kept")
                replies.append(try await story.deliver("{}", "d-\(replies.count)"))
            }
            #expect(replies.count > 5, "the burst is five seconds of the rate")
            #expect(replies.dropLast().allSatisfy { $0.status == 200 }, "what asks nothing counts too")
            #expect(replies.last?.problem?.code == "busy")
            #expect(replies.last?.headers.first(name: "retry-after") == "1")
            let sender = try SignUpSender(url: other.url, secret: Secret(try other.madeSecret()), http: story.http)
            let reply = try await sender.send(
                type: "user.created", user: UserKey(tenant: TenantID("acme"), user: UserID("u")), deliveryID: "d",
                at: Date(), occurredAt: Date())
            #expect(reply.status == 202)
        }
    }

    /// Runs the work while one commit of the service waits for a lock of the test's connection, which a `commit` gives
    /// back. The client may have many connections.
    private static func whileACommitWaits(_ work: (Story, HTTPClient) async throws -> Void) async throws {
        try await Story.with { story in
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
            let http = HTTPClient(configuration: configuration)
            let outcome: Result<Void, any Error>
            do {
                try await story.holdCommits("held-0", http)
                outcome = .success(try await work(story, http))
            } catch {
                outcome = .failure(error)
            }
            try await http.shutdown()
            try outcome.get()
        }
    }
}

extension Story {
    /// Locks the events, which intake alone writes, and sends one sign-up whose commit waits for that lock.
    fileprivate func holdCommits(_ user: String, _ http: HTTPClient) async throws {
        try await self.database.admin.script("begin; lock table dialtone.events in exclusive mode")
        let body = "{\"type\":\"user.created\",\"data\":{\"user_id\":\"\(user)\"}}"
        let (url, headers) = (self.address + self.hookPath, try self.signed(body, id: user))
        // Unstructured, because its answer comes after the test has given the lock back, and no test asks for it.
        Task { try? await http.reply(.POST, url, body, headers) }
        try await self.database.untilSomebodyWaitsForALock()
    }

    /// Sends one of many sign-ups of the user `flooded`. Each has a delivery id of its own.
    fileprivate func flood(_ number: Int, _ http: HTTPClient) async throws -> Story.Reply {
        let body = "{\"type\":\"user.created\",\"data\":{\"user_id\":\"flooded\"}}"
        return try await http.reply(
            .POST, self.address + self.hookPath, body, try self.signed(body, id: "flood-\(number)"))
    }
}
