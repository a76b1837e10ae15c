// SPDX-License-Identifier: Apache-2.0
// The state of this process, for a load balancer: `healthz` shows that it answers, `readyz` that it can serve requests.
// Why it cannot is shown by the status listener (`Status`), because reasons are for operators.

import HTTPTypes
import Hummingbird

struct HealthRoutes: Sendable {
    let isReady: @Sendable () async -> Bool

    func add(to router: Router<WebContext>) {
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in try await self.readiness() }
        for path: RouterPath in ["healthz", "readyz"] { router.refuseOthers(path, allowed: .get) }
    }

    private func readiness() async throws -> String {
        guard await self.isReady() else {
            throw Problem(503, "not_ready", "Requests cannot be served now.", retryAfter: 5)
        }
        return "ready\n"
    }
}
