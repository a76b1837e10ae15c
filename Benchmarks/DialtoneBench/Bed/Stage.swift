// SPDX-License-Identifier: Apache-2.0
// One database of a benchmark, and how to run the program on it.

import Foundation
import Postgres

struct Stage {
    let environment: [String: String]
    let hook: String
    let secret: String
    let program: URL

    var hookPath: String { Self.path(of: self.hook) }

    /// Returns the path of a hook's URL.
    static func path(of hook: String) -> String {
        String(hook[(hook.range(of: "/v1/")?.lowerBound ?? hook.startIndex)...])
    }

    /// Starts `dialtone` with these arguments and waits for its ready line.
    func start(_ arguments: [String]) async throws -> Running {
        try await Running.start(self.program, arguments, self.environment)
    }

    /// The same stage with these settings too.
    func with(_ settings: [String: String]) -> Stage {
        Stage(
            environment: self.environment.merging(settings) { $1 }, hook: self.hook, secret: self.secret,
            program: self.program)
    }

    func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(url: self.environment["DATABASE_URL"] ?? ""))
    }
}
