// SPDX-License-Identifier: Apache-2.0
// The HTTP side put together: every route, in one place to read.
//
// Nearly every request is a webhook. `Connection` takes it from the socket straight to intake, on the connection's own
// event loop. All other requests go through Hummingbird's router to a controller in `Routes`. `Answers` gives the
// answers and errors of both paths one form. A handler reads the request, calls one verb of another target, and
// returns the outcome as HTTP; it decides nothing else.

package import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import Telemetry

package struct WebApplication: Sendable {
    package struct Configuration: Sendable {
        package var host: String
        /// 0 lets the system pick one.
        package var port: Int
        /// How many bytes a webhook's body may have.
        package var maximumBody = 262_144
        /// How many connections may be open; more wait to be accepted.
        package var maximumConnections = 4096
        /// How long a connection may be silent between requests.
        package var keepAlive = Duration.seconds(75)
        /// How many bytes all bodies that are still arriving may take together.
        package var maximumHeld = 33_554_432
        /// The clock by which signatures and times of senders are judged.
        package var now: @Sendable () -> Date = { Date() }

        /// The first wall between tenants: the tenant of a path is compared with that of the key. Only tests take it
        /// away, to see that the second one holds.
        package var comparesTenants = true
        /// How often a key may ask a route that reads.
        package var quota = Quota.Policy()

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    private let listener: Listener
    private let configuration: Configuration
    private let dependencies: WebDependencies
    private let logger: Logger

    /// `onReady` gets the port as soon as requests are answered.
    package init(
        configuration: Configuration, dependencies: WebDependencies, logger: Logger,
        onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.listener = Listener(
            host: configuration.host, port: configuration.port, maximumConnections: configuration.maximumConnections,
            backlog: 1024, logger: logger, onReady: onReady)
        self.configuration = configuration
        self.dependencies = dependencies
        self.logger = logger
    }

    /// Serves until graceful shutdown. Then it takes no more connections and finishes the requests under way.
    package func run() async throws {
        let hooks = HooksController(
            intake: self.dependencies.intake, maximumBody: self.configuration.maximumBody,
            bodies: RequestBytes(budget: BodyBudget(maximum: self.configuration.maximumHeld)), logger: self.logger,
            deliveries: self.dependencies.metrics.deliveries, now: self.configuration.now)
        let connections = OpenConnections(maximum: self.configuration.maximumConnections)
        let keepAlive = TimeAmount(self.configuration.keepAlive)
        let server = HTTPServerBuilder { responder in
            HTTPConnection(
                responder: responder, hooks: hooks, connections: connections, logger: hooks.logger,
                date: { hooks.date.text(hooks.now()) }, keepAlive: keepAlive)
        }
        try await self.listener.run(self.router(hooks), server: server)
    }

    private func router(_ hooks: HooksController) -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        let now = self.configuration.now
        router.add(middleware: ProblemMiddleware(logger: self.logger, unproven: UnprovenRequests()))
        let gate = Gate(
            keys: Authenticator(keys: self.dependencies.keys, now: now),
            comparesTenants: self.configuration.comparesTenants, quota: Quota(self.configuration.quota))
        let handlers = Handlers(self.dependencies, hooks, now)
        router.add(RouteTable.all, behind: gate) { handlers.handler(of: $0) }
        return router
    }
}
