// SPDX-License-Identifier: Apache-2.0
// The state of this process, for a load balancer: `healthz` shows that it answers, `readyz` that it can serve requests.
// Why it cannot is shown by the status listener (`Status`), because reasons are for operators.

import HTTPTypes
import Hummingbird

struct HealthRoutes: Sendable {
    let isReady: @Sendable () async -> Bool

    func live() -> Response { Self.response("ok\n") }

    func readiness() async throws -> Response {
        guard await self.isReady() else {
            throw Problem(503, "not_ready", "Requests cannot be served now.", retryAfter: 5)
        }
        return Self.response("ready\n")
    }

    private static func response(_ text: String) -> Response {
        Answer(status: 200, fields: [("content-type", "text/plain; charset=utf-8")], body: text).response
    }
}
