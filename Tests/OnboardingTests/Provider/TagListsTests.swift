// SPDX-License-Identifier: Apache-2.0
// Runs share one list of a tag, but no list serves as proof that began before the moment that a run names.

import Model
import Synchronization
import Telnyx
import Testing

@testable import Onboarding

@Suite struct TagListsTests {
    private let tag = SharedTag(tag: "acme", era: 1)

    @Test func `runs that ask at the same time share one list`() async throws {
        let lists = TagLists()
        let fetches = Fetches()
        let (tag, moment) = (self.tag, ContinuousClock.now)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...10 {
                group.addTask {
                    try await lists.list(tag, notBefore: moment) { () async throws(TelnyxFailure) in
                        fetches.count.withLock { $0 += 1 }
                        return [.shown("p", named: "n")]
                    }.credentials.count
                }
            }
            for try await count in group { #expect(count == 1) }
        }
        #expect(fetches.count.withLock { $0 } == 1)
    }

    @Test func `a list that began before the moment is taken again`() async throws {
        let lists = TagLists()
        let first = try await self.list(lists, notBefore: .now - .seconds(1))
        let again = try await self.list(lists, notBefore: first.began)
        #expect(again.began == first.began)
        let later = ContinuousClock.now
        #expect(try await self.list(lists, notBefore: later).began >= later)
    }

    @Test func `neither a forgotten list nor one of another era is used`() async throws {
        let lists = TagLists()
        let first = try await self.list(lists, notBefore: .now - .seconds(1))
        let elsewhere = await lists.recent(SharedTag(tag: "acme", era: 2))
        #expect(elsewhere?.began == nil)
        await lists.forget(self.tag)
        let forgotten = await lists.recent(self.tag)
        #expect(forgotten?.began == nil)
        #expect(try await self.list(lists, notBefore: first.began).began > first.began)
    }

    /// The next one who asks tries again.
    @Test func `a failed list is not kept`() async throws {
        let lists = TagLists()
        let moment = ContinuousClock.now
        await #expect(throws: TelnyxFailure.self) {
            _ = try await lists.list(self.tag, notBefore: moment) {
                () async throws(TelnyxFailure) in throw TelnyxFailure(.unavailable)
            }
        }
        #expect(try await self.list(lists, notBefore: moment).credentials.isEmpty)
    }

    private func list(_ lists: TagLists, notBefore moment: ContinuousClock.Instant) async throws -> SharedList {
        try await lists.list(self.tag, notBefore: moment) { () async throws(TelnyxFailure) in [] }
    }
}

private final class Fetches: Sendable {
    let count = Mutex(0)
}
