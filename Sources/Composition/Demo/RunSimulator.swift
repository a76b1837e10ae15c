// SPDX-License-Identifier: Apache-2.0
// `dialtone simulator`: runs the simulated provider as a process of its own.

import Logging
import ServiceLifecycle
import Telemetry
import TelnyxSimulator
import UnixSignals

package enum RunSimulator {
    /// Runs the simulator until SIGTERM or SIGINT. `onReady` gets its port. With `apiKey` nil it accepts any key.
    package static func run(
        host: String, port: Int, stateFile: String?, apiKey: String?, onReady: @escaping @Sendable (Int) async -> Void
    ) async throws {
        var configuration = TelnyxSimulator.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.stateFile = stateFile
        if let apiKey { configuration.apiKeys = [apiKey] }
        let logger = Logger(label: "simulator") { LogFormat.automatic.handler(label: $0, level: .notice) }
        let simulator = try TelnyxSimulator(configuration: configuration, logger: logger, onReady: onReady)
        let group = ServiceGroup(
            configuration: .init(services: [simulator], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}
