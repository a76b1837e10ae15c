// SPDX-License-Identifier: Apache-2.0
// The status listener as a test asks it: probes, and the samples of a scrape.

import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

/// One page of `/metrics`.
struct Scrape {
    let page: String

    /// The value of a series, written as the page writes it: `dialtone_jobs{state="queued"}`. Nil when it is not there.
    subscript(_ series: String) -> Double? {
        self.page.split(separator: "\n").first { $0.hasPrefix("\(series) ") }
            .flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    /// All series of a metric together.
    func sum(of name: String) -> Double {
        self.page.split(separator: "\n").filter { $0.hasPrefix("\(name){") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }
}

extension Story {
    /// Scrapes until the page is as expected, for 30 seconds. `status`: host and port of the listener.
    func scrape(_ status: String, until isExpected: (Scrape) -> Bool) async throws -> Scrape {
        var last = Scrape(page: "")
        try await self.ask(status, "/metrics") { reply in
            last = Scrape(page: reply.body)
            return isExpected(last)
        }
        return last
    }

    /// Asks until the answer is as expected, or records an issue after 30 seconds. A listener that is not there yet is
    /// asked again. The pause between two questions is the database's, so that the test does not sleep.
    func ask(_ status: String, _ path: String, until isExpected: (Reply) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        var last: Reply?
        while ContinuousClock.now < deadline {
            last = try? await self.http.reply(.GET, "http://\(status)\(path)")
            if let last, isExpected(last) { return }
            _ = try await self.database.admin.query("select pg_sleep(0.02)::text")
        }
        Issue.record("\(path) is not as expected: \(last?.status ?? 0) \(last?.body ?? "no answer")")
    }
}
