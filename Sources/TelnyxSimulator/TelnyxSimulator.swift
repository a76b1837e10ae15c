// SPDX-License-Identifier: Apache-2.0
// A stand-in for the provider that responds as its documentation says, and misbehaves when told to.

// `Routes` is the HTTP side: the provider's API under `/v2`, and the routes of a checker under `/control`. `Account`
// holds credentials by the rules of the real account, without HTTP. `Faults` says which calls go wrong, and how.

package import Foundation
import HTTPTypes
import Hummingbird
package import Logging
import Model
import NIOCore
import ServiceLifecycle

/// The simulator as a service.
package struct TelnyxSimulator: Service {
    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0 picks a free port.
        package var port = 0
        /// The keys that are accepted, by the controls too. An empty set accepts any key, and leaves the controls open.
        package var apiKeys: Set<String> = []
        /// The connections that exist. Nil means every id of digits.
        package var knownConnections: Set<String>?
        /// The path of the journal. Nil keeps the state in memory only.
        package var stateFile: String?
        package var tagCapacity = 1000
        /// In seconds.
        package var tokenLifetime: TimeInterval = 86_400

        package init() {}
    }

    private let configuration: Configuration
    private let account: Account
    private let logger: Logger
    private let onReady: @Sendable (Int) async -> Void

    /// `onReady` gets the port as soon as the simulator takes requests.
    package init(
        configuration: Configuration, logger: Logger, onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws {
        self.configuration = configuration
        self.account = try Account(configuration: configuration)
        self.logger = logger
        self.onReady = onReady
    }

    package func run() async throws {
        let router = Router()
        let onReady = self.onReady
        let check = KeyCheck(keys: self.configuration.apiKeys)
        ProviderRoutes(account: self.account, check: check).add(to: router)
        ControlRoutes(account: self.account, check: check).add(to: router)
        var application = Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(
                address: .hostname(self.configuration.host, port: self.configuration.port), serverName: nil),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: self.logger)
        application.logger.logLevel = max(self.logger.logLevel, .notice)
        do {
            try await application.run()
        } catch let error as IOError where [EADDRINUSE, EACCES, EADDRNOTAVAIL].contains(error.errnoCode) {
            throw CannotListen(
                host: self.configuration.host, port: self.configuration.port, String(cString: strerror(error.errnoCode))
            )
        }
    }
}
