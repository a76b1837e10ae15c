// SPDX-License-Identifier: Apache-2.0
// The state of this process, for a load balancer: `healthz` shows that it answers, `readyz` that it can serve requests.

import HTTPTypes
import Hummingbird

struct HealthRoutes: Sendable {
    /// Returns when requests can be served. Throws the reason when they cannot.
    let isReady: @Sendable () async throws -> Void

    func add(to router: Router<BasicRequestContext>) {
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in try await self.readiness() }
        for path: RouterPath in ["healthz", "readyz"] { router.refuseOthers(path, allowed: .get) }
    }

    private func readiness() async throws -> String {
        do {
            try await self.isReady()
        } catch let error as NotReady {
            throw Problem(503, "not_ready", error.reason, retryAfter: 5)
        } catch {
            throw Problem(503, "not_ready", "The database cannot be reached.", retryAfter: 5)
        }
        return "ready\n"
    }
}
