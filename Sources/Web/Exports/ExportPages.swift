// SPDX-License-Identifier: Apache-2.0
// The pages of a list that is exported, as long as the caller and its key are there.

import Model

protocol ExportPage: Sendable {
    associatedtype Place: Sendable
    /// Where the next page begins; nil on the last page.
    var next: Place? { get }
    /// Such a page may have a next one.
    var isEmpty: Bool { get }
}

/// The pages of an export that hold something, one after another, as long as the caller and its key are there.
struct ExportPages<Page: ExportPage>: Sendable {
    private let isStillOpen: @Sendable () async throws -> Bool
    private let now: @Sendable () -> ContinuousClock.Instant
    private let read: @Sendable (Page.Place?) async throws -> Page
    private var place: Page.Place?
    private var checkedAt: ContinuousClock.Instant

    /// How long a key counts as open after it was looked at.
    private static var trust: Duration { .seconds(1) }

    /// Begins with the first page. The key has just been looked at.
    init(
        isStillOpen: @escaping @Sendable () async throws -> Bool,
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        read: @escaping @Sendable (Page.Place?) async throws -> Page
    ) {
        (self.isStillOpen, self.now, self.read) = (isStillOpen, now, read)
        self.checkedAt = now()
    }

    /// Returns the next page that holds something, or the last one, and the pages that are left.
    ///
    /// Throws `CallerHasLeft` when the caller leaves, and `Problem.notFound` when the key has ended.
    ///
    /// An empty page writes nothing, so no write fails when the caller has left. Such pages are one piece of work,
    /// because each by itself would be done before the caller's grace is over.
    func next() async throws -> (page: Page, rest: Self) {
        try await CallerPresence.required { () async throws -> (page: Page, rest: Self) in
            var pages = self
            let page = try await pages.readOn()
            return (page, pages)
        }
    }

    private mutating func readOn() async throws -> Page {
        while true {
            try Task.checkCancellation()
            let page = try await self.read(self.place)
            let time = self.now()
            if time - self.checkedAt >= Self.trust {
                guard try await self.isStillOpen() else { throw Problem.notFound }
                self.checkedAt = time
            }
            self.place = page.next
            if !page.isEmpty || page.next == nil { return page }
        }
    }
}
