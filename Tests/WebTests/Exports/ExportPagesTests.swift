// SPDX-License-Identifier: Apache-2.0
// An export ends with its caller and with its key, also while it finds nobody.

import Directory
import Model
import Synchronization
import Testing

@testable import Web

@Suite struct ExportPagesTests {
    @Test func `an export that finds nobody ends when its caller leaves`() async throws {
        let presence = CallerPresence(grace: .milliseconds(20))
        let (begun, begins) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let place = UserPlace(user: try UserID("u"), received: 0)
        let export = Task {
            try await CallerPresence.$current.withValue(presence) {
                // Each page is there long before the grace is over, and none is the last.
                let pages = ExportPages<SealedPage>(isStillOpen: { true }, now: { .now }) { _ in
                    begins.yield()
                    await Task.yield()
                    return SealedPage(users: [], next: place)
                }
                return try await pages.next().page
            }
        }
        for await _ in begun { break }
        presence.left()
        await #expect(throws: CallerHasLeft.self) { try await export.value }
    }

    @Test func `the key is looked at once a second, however many pages there are`() async throws {
        let clock = HandClock()
        let looks = Mutex(0)
        let pages = try Self.tenPages(
            isStillOpen: {
                looks.withLock { $0 += 1 }
                return true
            }, on: clock, each: .milliseconds(400))
        let last = try await pages.next().page
        #expect(last.next == nil)
        let count = looks.withLock { $0 }
        #expect(count == 3, "after 1.2, 2.4 and 3.6 of 4 seconds")
    }

    @Test func `an export whose key was revoked ends within two pages of half a second`() async throws {
        let pages = try Self.tenPages(isStillOpen: { false }, on: HandClock(), each: .milliseconds(500))
        await #expect(throws: Problem.notFound) { try await pages.next() }
        let short = try Self.tenPages(isStillOpen: { false }, on: HandClock(), each: .milliseconds(99))
        let last = try await short.next().page
        #expect(last.next == nil, "within a second nobody asks")
    }

    /// Pages of nobody. Each takes `time`.
    private static func tenPages(
        isStillOpen: @escaping @Sendable () async throws -> Bool, on clock: HandClock, each time: Duration
    ) throws -> ExportPages<SealedPage> {
        let user = try UserID("u")
        return ExportPages(isStillOpen: isStillOpen, now: { clock.now }) { place in
            clock.advance(by: time)
            let number = (place?.received ?? 0) + 1
            return SealedPage(users: [], next: number < 10 ? UserPlace(user: user, received: number) : nil)
        }
    }
}
