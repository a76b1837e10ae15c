// SPDX-License-Identifier: Apache-2.0
// Reads the secrets' files again on SIGHUP, so that a password or a key changes without a restart.

import Logging
import ServiceLifecycle
import UnixSignals

/// Waits for SIGHUP until graceful shutdown.
struct ReadSecretsAgain: Service {
    private let secrets: SecretSources
    private let signals: UnixSignalsSequence

    /// Takes SIGHUP over at once. Without this the signal ends the process.
    init(_ secrets: SecretSources, logger: Logger) async {
        self.secrets = secrets
        self.signals = await UnixSignalsSequence(trapping: .sighup)
        for secret in secrets.renewable {
            let name = secret.name
            secret.onNews { Self.log($0, name, logger) }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.signals {
                for secret in self.secrets.renewable { secret.readAgain(isAsked: true) }
            }
        }
        // A service that returns ends its group. Cancelled here: the group ends anyway.
        try? await gracefulShutdown()
    }

    private static func log(_ reading: SecretSource.Reading, _ name: String, _ logger: Logger) {
        switch reading {
        case .changed: logger.notice("a secret was read again and has changed", metadata: ["name": "\(name)"])
        case .same: logger.info("a secret was read again", metadata: ["name": "\(name)"])
        case .unusable:
            logger.error(
                "a secret's file cannot be used; the old secret stays in use", metadata: ["name": "\(name)"])
        }
    }
}
