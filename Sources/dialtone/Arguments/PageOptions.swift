// SPDX-License-Identifier: Apache-2.0
// How much of a list is printed: all of it, or a page that begins somewhere.

import ArgumentParser
import Composition
import Model

struct PageOptions: ParsableArguments {
    @Option(help: "At most this many; else all.") var limit: Int?
    @Option(help: "Begin after an earlier page: its next, as it is.") var after: String?

    func validate() throws {
        if let limit, !(1...200).contains(limit) { throw ValidationError("--limit must be from 1 to 200") }
    }

    /// Reads one page, or all of them where no limit was given. A page that the service has cut short goes on.
    func read<Element: Sendable>(
        _ page: (String?, Int) async throws -> Answer<Element>
    ) async throws -> Answer<Element> {
        var all: [Element] = []
        var next = self.after
        repeat {
            // No page of the API holds more than 200.
            let left = min(200, self.limit.map { $0 - all.count } ?? 200)
            let answer = try await page(next, left)
            all += answer.data
            next = answer.next
        } while next != nil && (self.limit.map { all.count < $0 } ?? true)
        return Answer(all, next: next)
    }
}
