// SPDX-License-Identifier: Apache-2.0
// The status listener: a second, small HTTP server of every process, for probes and scrapes.
//
// It stands on an address of its own, so that busy clients of the public one cannot keep probes out, and so that
// workers have one too. Reasons and metrics are for the operator's network and never on the public address.

import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore

package struct StatusApplication: Sendable {
    /// Connections at most; more wait to be accepted.
    private static let maximumConnections = 64

    private let listener: Listener
    private let dependencies: StatusDependencies

    /// Port 0 lets the system pick one. `onReady` gets the port as soon as requests are answered.
    package init(
        host: String, port: Int, dependencies: StatusDependencies, logger: Logger,
        onReady: @escaping @Sendable (Int) async -> Void
    ) {
        self.listener = Listener(
            host: host, port: port, setting: "DIALTONE_STATUS_LISTEN", maximumConnections: Self.maximumConnections,
            logger: logger, onReady: onReady)
        self.dependencies = dependencies
    }

    /// Serves until graceful shutdown. Throws `CannotListen`, which names the setting, when the address is taken.
    package func run() async throws {
        try await self.listener.run(
            self.router(), server: .http1(configuration: .init(idleTimeout: .seconds(75))))
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware(logger: self.listener.logger))
        StatusRoutes(dependencies: self.dependencies).add(to: router)
        return router
    }
}
