// SPDX-License-Identifier: Apache-2.0
// `dialtone serve`: runs one process until a signal tells it to stop, and then ends it gracefully.

import Dispatch
import Foundation
package import Logging
import ServiceLifecycle
import Telemetry
import UnixSignals

package enum Serve {
    /// The longest time for requests and calls under way to end by themselves. After it they are cancelled.
    private static let gracePeriod: Duration = .seconds(25)
    /// The longest time from the signal to the end of the process.
    private static let longestStop: Duration = .seconds(30)

    /// Runs the roles until SIGTERM or SIGINT.
    ///
    /// `onReady` gets the ready line once, when every listener answers. A process without one is ready when everything
    /// that it needs was found in order.
    package static func run(
        _ settings: Settings, roles: Set<Role>, onReady: @escaping @Sendable (ReadyLine) async -> Void
    ) async throws {
        let logger = self.logger(settings)
        self.warn(settings, roles, logger)
        let secrets = await ReadSecretsAgain(settings.secrets, logger: logger)
        let listeners = (roles.contains(.api) ? 1 : 0) + (settings.statusListen == nil ? 0 : 1)
        let gate = ReadyGate(awaited: listeners, onReady: onReady)
        let made = try await self.unlessStopped {
            try await Node(
                settings, roles: roles, logger: logger, onStatus: { await gate.showsStatus(at: $0) },
                onReady: { await gate.listens(at: $0) })
        }
        guard let node = made else { return logger.info("stopped before the start") }
        logger.info(
            "starting",
            metadata: [
                "roles": "\(roles.map(\.rawValue).sorted().joined(separator: ","))",
                "listen": "\(settings.listenAddress)", "provider": "\(settings.telnyxBaseURL)",
                "kek": "\(settings.kek ?? "none")", "concurrency": "\(settings.concurrency)",
                "tag_capacity": "\(settings.tagCapacity)",
            ])
        let stop = BoundedStop(limit: self.longestStop, logger: logger)
        // A group stops its last service first. The bound therefore counts from the signal.
        let ready: [any Service] = listeners == 0 ? [ReadyAtOnce(onReady: onReady)] : []
        let services: [any Service] = [secrets] + node.services + ready + [stop]
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = self.gracePeriod
        try await ServiceGroup(configuration: configuration).run()
        logger.info("stopped")
    }

    /// Returns nil when SIGTERM or SIGINT comes first.
    ///
    /// The kernel drops a signal that process 1 of a container does not handle, and a start may wait long for its
    /// database.
    private static func unlessStopped<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                for await _ in signals { break }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    package static func logger(_ settings: Settings) -> Logger {
        Logger(label: "dialtone") { settings.logFormat.handler(label: $0, level: settings.logLevel) }
    }

    /// Tells what an operator may not have meant.
    private static func warn(_ settings: Settings, _ roles: Set<Role>, _ logger: Logger) {
        for name in Settings.unknownNames(in: ProcessInfo.processInfo.environment) {
            logger.warning("there is no such setting", metadata: ["name": "\(name)"])
        }
        for warning in settings.warnings { logger.warning("a setting is unsafe", metadata: ["what": "\(warning)"]) }
        if roles.contains(.api) && ListenAddress.isEveryAddress(settings.listenHost) {
            logger.notice(
                "listening on all addresses of this machine", metadata: ["listen": "\(settings.listenAddress)"])
        }
        if let status = settings.statusListen, ListenAddress.isEveryAddress(status.host) {
            logger.notice(
                "listening on all addresses of this machine",
                metadata: ["status": "\(ListenAddress.shown(host: status.host, port: status.port))"])
        }
    }
}

/// Ends the process when its services do not end by themselves: a database that is silent holds up the last results.
///
/// `ServiceGroupConfiguration.maximumCancellationDuration` would crash the process instead. The end loses nothing: what
/// was not written is looked up when the worker counts as gone.
private struct BoundedStop: Service {
    let limit: Duration
    let logger: Logger

    func run() async throws {
        // Cancelled here: a service has failed, and the group ends with its error.
        let isAsked = (try? await gracefulShutdown()) != nil
        let logger = self.logger
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(self.limit.components.seconds))) {
            logger.warning("the stop took too long; what was not written is looked up")
            exit(isAsked ? 0 : 1)
        }
    }
}
