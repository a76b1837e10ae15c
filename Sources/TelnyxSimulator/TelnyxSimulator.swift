// SPDX-License-Identifier: Apache-2.0
// A stand-in for the provider that answers as its documentation says, and misbehaves when told to.

package import Foundation
import HTTPTypes
import Hummingbird
package import Logging
import Model
import NIOCore
import ServiceLifecycle

/// The simulator as a service. The API is under `/v2`, the controls under `/control`.
package struct TelnyxSimulator: Service {
    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0 picks one.
        package var port = 0
        /// Keys that are accepted; any, when empty.
        package var apiKeys: Set<String> = []
        /// Connections that exist; any of digits, when nil.
        package var knownConnections: Set<String>?
        /// Where the state is kept; in memory only, when nil.
        package var stateFile: String?
        package var tagCapacity = 1000
        /// Seconds.
        package var tokenLifetime: TimeInterval = 86_400

        package init() {}
    }

    private let configuration: Configuration
    private let account: Account
    private let logger: Logger
    private let onReady: @Sendable (Int) async -> Void

    /// `onReady` is told the port once requests are answered.
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
        ProviderRoutes(account: self.account, apiKeys: self.configuration.apiKeys).add(to: router)
        ControlRoutes(account: self.account).add(to: router)
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
                "\(self.configuration.host):\(self.configuration.port)", String(cString: strerror(error.errnoCode)))
        }
    }
}
