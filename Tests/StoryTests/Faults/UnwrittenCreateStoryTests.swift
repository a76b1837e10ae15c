// SPDX-License-Identifier: Apache-2.0
// A node with a key that no header can hold makes no doubt, and a node with a right one makes the user's credential.

import Composition
import Directory
import Foundation
import Logging
import Model
import NIOHTTP1
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct UnwrittenCreateStoryTests {
    /// The settings refuse such a key, so it is put in behind them.
    @Test func `a create that no client can write is not sent, and another node makes the credential`() async throws {
        let log = HeardLog()
        let key = Secret("KEY\nsecret")
        let changes = Story.quick.merging(["TELNYX_API_KEY": ""]) { $1 }
        try await Story.with(changes, logger: Logger(label: "test") { _ in log }, { $0.telnyxKey = key }) { story in
            _ = try await story.send(.created, "u-1", delivery: "msg_1")
            try await story.until("select 1 from dialtone.job_log where error_code = 'not_sent'")
            let timeline = try await story.timeline(of: "u-1")
            #expect(timeline.contains { $0.code == "not_sent" })
            let reply = try await story.request(
                .GET, "/v1/tenants/acme/users/u-1/timeline", "", ["authorization": "Bearer \(story.key)"])
            #expect(reply.status == 200 && reply.body.contains("\"code\":\"not_sent\""))
            let line = log.lines.first { $0.contains("the provider cannot be reached; jobs wait") }
            #expect(line?.hasPrefix("warning ") == true && line?.contains("Invalid header field values") == true)
            #expect(!log.lines.joined().contains("KEY"))

            var mended = story.settings
            mended.telnyxKey = Secret(story.provider.key)
            try await Story.withNode(mended) { _ in
                // Both nodes claim the job now and then. The wait is cut short.
                try await story.until(
                    """
                    with again as (update dialtone.jobs set run_at = now() where state = 'scheduled')
                    select 1 from dialtone.users where status = 'ready'
                    """)
            }
            let doubts = try await story.rows("select user_id from dialtone.job_log where to_state = 'in_doubt'")
            #expect(doubts.isEmpty)
            #expect(try await story.provider.callsPerName() == [.init(creates: 1, deletes: 0)])
            #expect(try await story.credentials(of: "u-1") == [.init(1, .active)])
        }
    }
}

/// Keeps the lines that a node logs.
private struct HeardLog: LogHandler {
    private let heard = Heard()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    /// Level, message and facts of each line.
    var lines: [String] { self.heard.lines.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        self.heard.lines.withLock { $0.append("\(event.level) \(event.message) \(facts)") }
    }

    private final class Heard: Sendable { let lines = Mutex<[String]>([]) }
}
