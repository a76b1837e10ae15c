// SPDX-License-Identifier: Apache-2.0
// What the operator's own network may ask of a process: does it live, can it serve and why not, its metrics.

import HTTPTypes
import Hummingbird
import Model

/// What the routes of the status listener show.
package struct StatusDependencies: Sendable {
    /// What does not come round any more; empty: the process lives.
    package var troubles: @Sendable () -> [String]
    /// Why this process cannot do its work; empty: it is ready.
    package var reasons: @Sendable () async -> [String]
    /// What an operator should know all the same.
    package var notes: @Sendable () -> [String]
    /// The page of a scrape.
    package var metrics: @Sendable () -> String

    package init(
        troubles: @escaping @Sendable () -> [String], reasons: @escaping @Sendable () async -> [String],
        notes: @escaping @Sendable () -> [String] = { [] }, metrics: @escaping @Sendable () -> String
    ) {
        self.troubles = troubles
        self.reasons = reasons
        self.notes = notes
        self.metrics = metrics
    }
}

struct StatusRoutes: Sendable {
    let dependencies: StatusDependencies

    func add(to router: Router<WebContext>) {
        router.get("healthz") { _, _ in Self.health(self.dependencies.troubles()).response }
        router.get("readyz") { _, _ in
            Self.readiness(await self.dependencies.reasons(), notes: self.dependencies.notes()).response
        }
        router.get("metrics") { _, _ in Self.metrics(self.dependencies.metrics()).response }
        for path: RouterPath in ["healthz", "readyz", "metrics"] { router.refuseOthers(path, allowed: [.get]) }
    }

    static func health(_ troubles: [String]) -> Answer {
        Answer(
            status: troubles.isEmpty ? 200 : 503, fields: Self.fields("text/plain; charset=utf-8"),
            body: (troubles.isEmpty ? ["ok"] : troubles).joined(separator: "\n") + "\n")
    }

    /// Returns `{"ready":true,"reasons":[]}`. When it is not ready, `detail` has all reasons in one text. `notes`
    /// change nothing about that, and are left out when there are none.
    static func readiness(_ reasons: [String], notes: [String] = []) -> Answer {
        func list(_ texts: [String]) -> String { texts.map { JSONText.quoted($0) }.joined(separator: ",") }
        let noted = notes.isEmpty ? "" : ",\"notes\":[\(list(notes))]"
        let detail = reasons.isEmpty ? "" : ",\"detail\":\(JSONText.quoted(reasons.joined(separator: "; ")))"
        return Answer(
            status: reasons.isEmpty ? 200 : 503, fields: Self.fields("application/json"),
            body: "{\"ready\":\(reasons.isEmpty),\"reasons\":[\(list(reasons))]\(noted)\(detail)}\n")
    }

    /// Prometheus' text format.
    static func metrics(_ page: String) -> Answer {
        Answer(status: 200, fields: Self.fields("text/plain; version=0.0.4; charset=utf-8"), body: page)
    }

    private static func fields(_ type: String) -> [(String, String)] {
        [("content-type", type), ("cache-control", "no-store")]
    }
}
