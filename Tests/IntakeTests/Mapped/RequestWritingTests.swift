// SPDX-License-Identifier: Apache-2.0
// What a request brings is counted once it is stored, and not each time that its sender is told to come again.

import Counts
import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct RequestWritingTests {
    /// A word of an organisation that is not mapped, for which there is no room, and one that cannot be used.
    private static let body = """
        {"events":[\(MappedIntakeTests.event(1, "u", org: "new")),
         {"id":"bad","type":"joined","user":7.5,"org":"o","time":1}]}
        """

    @Test func `a request that quarantine refuses is not counted, and is counted once when it comes again`()
        async throws
    {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let source = try MappedBed.source(MappedIntakeTests.split)
            let tally = Tally(pool: database.pool, logger: logger)
            let plain = EventWriter(pool: database.pool, wakeup: Wakeup(), logger: logger)
            let tracked = TrackedWriter(pool: database.pool, wakeup: Wakeup(), logger: logger)
            let closed = Quarantine(pool: database.pool, vault: registry.vault, logger: logger)
            let open = Quarantine(pool: database.pool, vault: registry.vault, logger: logger)
            func writers(_ quarantine: Quarantine) -> MappedWriters {
                MappedWriters(
                    plain: plain, tracked: tracked, quarantine: quarantine, tally: tally, counts: TenantCounts())
            }
            let ended = Task { await closed.run() }
            ended.cancel()
            await ended.value
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await tracked.run() }
                group.addTask { await open.run() }
                let refused = await Self.send(to: source, by: writers(closed))
                #expect(refused == .failure(.unavailable) && tally.waiting == (0, 0))
                #expect(source.budget.takeCounts()?.ignored == 0)
                let taken = try await Self.send(to: source, by: writers(open)).get()
                #expect(taken.items.map(\.status) == [.ignored, .quarantined])
                #expect(source.budget.takeCounts()?.ignored == 1)
                await tally.write(now: MappedIntakeTests.noon)
                let counts = try await database.admin.query(
                    "select concat_ws(' ', outcome, reason, count) from dialtone.tally"
                ).map { try $0.decode(String.self) }
                #expect(counts == ["not_kept unmapped 1"])
                group.cancelAll()
            }
        }
    }

    private static func send(
        to source: MappedSource, by writers: MappedWriters
    ) async -> Result<Receipt, IntakeError> {
        let request = ProvenRequest(
            headers: { _ in [] }, body: Array(Self.body.utf8), receivedAt: MappedIntakeTests.noon, provenID: nil)
        let taken = TakenRequest(request, from: source, secret: nil, keepsUnmapped: false)
        return await withCheckedContinuation { told in
            RequestWriting(taken, by: writers, lengths: { [] }, answer: { told.resume(returning: $0) }).begin()
        }
    }
}
