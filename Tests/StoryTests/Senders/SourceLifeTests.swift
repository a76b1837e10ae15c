// SPDX-License-Identifier: Apache-2.0
// What a sender hears over HTTP while an operator disables, enables, updates and deletes its source.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct SourceLifeTests {
    @Test func `a sender comes again while its source rests, is read by a new mapping, and is unknown in the end`()
        async throws
    {
        try await Story.with { story in
            let acme = try TenantID("acme")
            let sender = Sender(story: story)
            #expect(try await sender.send(#"{"user_id":"u-1"}"#).status == 202)

            #expect(try await story.administration.disableSource("app", tenant: acme).changed)
            let rests = try await sender.sendUntil(503, #"{"user_id":"u-2"}"#)
            #expect(rests.problem?.code == "source_disabled" && rests.headers.first(name: "retry-after") == "60")

            #expect(try await story.administration.enableSource("app", tenant: acme).changed)
            _ = try await sender.sendUntil(202, #"{"user_id":"u-3"}"#)

            let mapping = #"{"grammar":1,"user_id":{"at":"./account","is":"string"}}"#
            let updated = try await story.administration.updateSource(
                "app", tenant: acme, configuration: Array(mapping.utf8), allowed: nil)
            #expect(updated.config_version == 2)
            // The canonical event without a user's id is refused; the new mapping reads it.
            _ = try await sender.sendUntil(202, #"{"account":"u-4"}"#, orElse: 422)
            try await story.until("select 1 from dialtone.users where user_id = 'u-4' and status = 'ready'")

            _ = try await story.administration.deleteSource("app", tenant: acme)
            let gone = try await sender.sendUntil(404, #"{"account":"u-4"}"#)
            #expect(gone.problem?.code == "unknown_hook")
            let ready: SQL = "select user_id from dialtone.users where user_id in ('u-1', 'u-4') and wanted = 'live'"
            #expect(try await story.rows(ready).count == 2, "users stay")
        }
    }

    private struct Sender {
        let story: Story

        func send(_ user: String) async throws -> Story.Reply {
            try await self.story.deliver(#"{"type":"user.created","data":\#(user)}"#, UUID().uuidString)
        }

        /// Sends until the node has read the source again, which takes five seconds at most. The pause between two tries
        /// is the database's.
        func sendUntil(_ status: Int, _ user: String, orElse other: Int? = nil) async throws -> Story.Reply {
            let deadline = ContinuousClock.now + .seconds(60)
            while true {
                let reply = try await self.send(user)
                if reply.status == status { return reply }
                #expect(other == nil || reply.status == other, "\(reply.body)")
                guard ContinuousClock.now < deadline else {
                    throw TestDatabase.NeverCame(what: "the answer \(status) did not come")
                }
                _ = try await self.story.database.admin.query("select pg_sleep(0.2)::text")
            }
        }
    }
}
