// SPDX-License-Identifier: Apache-2.0
// The status listener: a second, small HTTP server of every process, for probes and scrapes.
//
// It stands on an address of its own, so that busy clients of the public one cannot keep probes out, and so that
// workers have one too. Reasons and metrics are for the operator's network and never on the public address.

import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
import Model
import NIOCore

package struct StatusApplication: Sendable {
    /// Connections at most; more wait to be accepted.
    private static let maximumConnections = 64

    private let host: String
    private let port: Int
    private let dependencies: StatusDependencies
    private let logger: Logger
    private let onReady: @Sendable (Int) async -> Void

    /// Port 0 lets the system pick one. `onReady` gets the port as soon as requests are answered.
    package init(
        host: String, port: Int, dependencies: StatusDependencies, logger: Logger,
        onReady: @escaping @Sendable (Int) async -> Void
    ) {
        self.host = host
        self.port = port
        self.dependencies = dependencies
        self.logger = logger
        self.onReady = onReady
    }

    /// Serves until graceful shutdown. Throws `CannotListen`, which names the setting, when the address is taken.
    package func run() async throws {
        let onReady = self.onReady
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        let connections = OpenConnections(maximum: Self.maximumConnections)
        let (logger, date) = (self.logger, DateField())
        let application = Application(
            router: self.router(),
            server: HTTPServerBuilder { responder in
                HTTPConnection(
                    responder: responder, hooks: nil, connections: connections, logger: logger,
                    date: { date.text(Date()) },
                    keepAlive: .seconds(75))
            },
            configuration: .init(
                address: .hostname(self.host, port: self.port),
                availableConnectionsDelegate: .maximum(Self.maximumConnections, logger: quiet)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError where [EADDRINUSE, EACCES, EADDRNOTAVAIL].contains(error.errnoCode) {
            throw CannotListen(
                host: self.host, port: self.port, setting: "DIALTONE_STATUS_LISTEN",
                String(cString: strerror(error.errnoCode)))
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware(logger: self.logger))
        StatusRoutes(dependencies: self.dependencies).add(to: router)
        return router
    }
}
