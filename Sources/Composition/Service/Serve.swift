// SPDX-License-Identifier: Apache-2.0
// `dialtone serve`: runs one process until a signal tells it to stop, and then ends it gracefully.

import Foundation
package import Logging
import ServiceLifecycle
import Telemetry
import UnixSignals

package enum Serve {
    /// Runs the roles until SIGTERM or SIGINT.
    ///
    /// `onReady` gets the address once requests are answered. Without the role `api` it gets nil, once everything that
    /// a worker needs was found in order.
    package static func run(
        _ settings: Settings, roles: Set<Role>, onReady: @escaping @Sendable (String?) async -> Void
    ) async throws {
        let logger = self.logger(settings)
        for name in Settings.unknownNames(in: ProcessInfo.processInfo.environment) {
            logger.warning("there is no such setting", metadata: ["name": "\(name)"])
        }
        let node = try await Node(settings, roles: roles, logger: logger, onReady: onReady)
        logger.info(
            "starting",
            metadata: [
                "roles": "\(roles.map(\.rawValue).sorted().joined(separator: ","))",
                "listen": "\(settings.listenHost):\(settings.listenPort)", "provider": "\(settings.telnyxBaseURL)",
                "kek": "\(settings.kek ?? "none")", "concurrency": "\(settings.concurrency)",
                "tag_capacity": "\(settings.tagCapacity)",
            ])
        if !roles.contains(.api) { await onReady(nil) }
        var configuration = ServiceGroupConfiguration(
            services: node.services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(25)
        configuration.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
        logger.info("stopped")
    }

    package static func logger(_ settings: Settings) -> Logger {
        Logger(label: "dialtone") { JSONLogHandler(label: $0, level: settings.logLevel) }
    }
}
