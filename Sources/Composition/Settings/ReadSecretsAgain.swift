// SPDX-License-Identifier: Apache-2.0
// Reads the secrets' files again on SIGHUP, so that a password or a key changes without a restart.

import Logging
import ServiceLifecycle
import UnixSignals

/// Waits for SIGHUP until graceful shutdown.
struct ReadSecretsAgain: Service {
    private let secrets: SecretSources
    private let signals: UnixSignalsSequence
    private let logger: Logger

    /// Takes SIGHUP over at once. Without this the signal ends the process.
    init(_ secrets: SecretSources, logger: Logger) async {
        self.secrets = secrets
        self.signals = await UnixSignalsSequence(trapping: .sighup)
        self.logger = logger
        for secret in secrets.renewable {
            let name = secret.name
            secret.onChange { logger.notice("a secret was read again and has changed", metadata: ["name": "\(name)"]) }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.signals { self.read() }
        }
        // A service that returns ends its group. Cancelled here: the group ends anyway.
        try? await gracefulShutdown()
    }

    private func read() {
        for secret in self.secrets.renewable {
            switch secret.readAgain() {
            case .changed: break
            case .same: self.logger.info("a secret was read again", metadata: ["name": "\(secret.name)"])
            case .unusable:
                self.logger.error(
                    "a secret's file cannot be used; the old secret stays in use", metadata: ["name": "\(secret.name)"])
            }
        }
    }
}
