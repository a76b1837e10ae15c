// SPDX-License-Identifier: Apache-2.0
// The HTTP side put together: every route, in one place to read.

package import Access
package import Directory
import Foundation
import HTTPTypes
package import Handoff
import Hummingbird
import HummingbirdCore
package import Intake
package import Logging
import Model
import NIOCore

/// What the routes need.
package struct WebDependencies: Sendable {
    package var intake: Intake
    package var handoff: Handoff
    package var users: Users
    package var keys: APIKeys
    /// Whether requests can be served; throws the reason.
    package var isReady: @Sendable () async throws -> Void

    package init(
        intake: Intake, handoff: Handoff, users: Users, keys: APIKeys,
        isReady: @escaping @Sendable () async throws -> Void
    ) {
        self.intake = intake
        self.handoff = handoff
        self.users = users
        self.keys = keys
        self.isReady = isReady
    }
}

/// Why requests cannot be served although the database is there; for people.
package struct NotReady: Error {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }
}

package struct WebApplication: Sendable {
    package struct Configuration: Sendable {
        package var host: String
        /// 0 picks one.
        package var port: Int
        /// Bytes of a webhook's body at most.
        package var maximumBody = 262_144
        /// Connections at most; the rest wait to be accepted.
        package var maximumConnections = 4096

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    private let configuration: Configuration
    private let dependencies: WebDependencies
    private let logger: Logger
    private let onReady: @Sendable (Int) async -> Void

    /// `onReady` is told the port once requests are answered.
    package init(
        configuration: Configuration, dependencies: WebDependencies, logger: Logger,
        onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.dependencies = dependencies
        self.logger = logger
        self.onReady = onReady
    }

    /// Serves until graceful shutdown: then takes no more connections and finishes what is under way.
    package func run() async throws {
        let onReady = self.onReady
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        let hooks = HooksController(
            intake: self.dependencies.intake, maximumBody: self.configuration.maximumBody, logger: self.logger,
            now: { Date() })
        let application = Application(
            router: self.router(hooks),
            server: HTTPServerBuilder { responder in
                HTTPConnection(
                    responder: responder, hooks: hooks, idleTimeout: .seconds(30), requestTimeout: .seconds(20))
            },
            configuration: .init(
                address: .hostname(self.configuration.host, port: self.configuration.port), backlog: 1024,
                availableConnectionsDelegate: .maximum(
                    self.configuration.maximumConnections, logger: quiet)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError where [EADDRINUSE, EACCES, EADDRNOTAVAIL].contains(error.errnoCode) {
            throw CannotListen(
                "\(self.configuration.host):\(self.configuration.port)", String(cString: strerror(error.errnoCode)))
        }
    }

    private func router(_ hooks: HooksController) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        let now: @Sendable () -> Date = { Date() }
        router.add(middleware: ProblemMiddleware(logger: self.logger))
        let keys = Authenticator(keys: self.dependencies.keys, now: now)
        hooks.add(to: router)
        LoginTokensController(keys: keys, handoff: self.dependencies.handoff, now: now).add(to: router)
        UsersController(keys: keys, users: self.dependencies.users).add(to: router)
        let isReady = self.dependencies.isReady
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in
            do {
                try await isReady()
            } catch let error as NotReady {
                throw Problem(503, "not_ready", error.reason, retryAfter: 5)
            } catch {
                throw Problem(503, "not_ready", "The database cannot be reached.", retryAfter: 5)
            }
            return "ready\n"
        }
        for path: RouterPath in ["healthz", "readyz"] { router.refuseOthers(path, allowed: .get) }
        return router
    }
}

/// Turns a request's key into its caller, or refuses: there is no way past it to a handler's work.
struct Authenticator: Sendable {
    let keys: APIKeys
    let now: @Sendable () -> Date

    func caller(of request: Request, needs scope: Scope) async throws -> Caller {
        let bearer = try AuthorizationHeader.bearer(request.headers[values: .authorization])
        let caller = try await self.keys.authenticate(bearer, now: self.now())
        guard caller.may(scope) else {
            throw Problem(403, "scope_missing", "The key lacks the scope \(scope.rawValue).")
        }
        return caller
    }
}
