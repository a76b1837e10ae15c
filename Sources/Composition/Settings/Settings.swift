// SPDX-License-Identifier: Apache-2.0
// Every setting, read once at the start: a flag wins over the environment, and the environment over a file.
//
// The setting DIALTONE_CONFIG names the file. A start reports all wrong settings at once, so that an operator can mend
// them in one go.

import Foundation
package import Logging
package import Model
package import Onboarding
import Postgres
package import Schema
package import Telemetry
package import Telnyx

/// The settings of one process.
package struct Settings: Sendable {
    package var databaseURL: Secret<String>
    /// For LISTEN and `migrate` when `databaseURL` leads to a pooler.
    package var databaseDirectURL: Secret<String>
    /// Whether `databaseURL` leads to a pooler in transaction mode.
    package var isPooled: Bool
    /// Who makes a commit durable: the server, or its storage alone.
    package var durability: Durability
    /// By what a worker knows the database server.
    package var serverIdentity: ServerIdentity
    /// How long a start waits for a database that is not there yet.
    package var databaseWait: Duration
    package var listenHost: String
    package var listenPort: Int
    /// How long a connection to the public listener may be silent between requests.
    package var keepAlive: Duration
    /// Where the status listener is; nil for none.
    package var statusListen: (host: String, port: Int)?
    /// The URL under which senders reach the service, without a slash at the end.
    package var publicURL: String?
    /// The key-encryption key, as `env:NAME` or `file:PATH`.
    package var kek: String?
    package var telnyxKey: Secret<String>?
    package var telnyxBaseURL: String
    /// The proxy through which the provider is called; nil for none.
    package var providerProxy: ProviderProxy?
    /// The provider's connection for a tenant that names none.
    package var connectionID: String?
    package var lease: Duration
    package var httpDeadline: Duration
    package var providerMargin: Duration
    package var tagCapacity: Int
    package var sweepInterval: Duration
    /// How long a rotated credential goes on serving.
    package var rotationOverlap: Duration
    /// For how many days what is kept of an event in quarantine waits for somebody to settle it.
    package var quarantineDays: Int
    /// For how many days the log, and events that changed nothing, are kept.
    package var retention: RetentionRules
    /// Creates per second for all nodes together; nil for no limit.
    package var providerRate: Int?
    /// Login tokens that each process makes per second for one tenant.
    package var tokenRate: Int
    /// Events that each process takes per second from one source.
    package var sourceRate: Int
    /// How often each key may ask, a minute and process, the routes that read.
    package var readsPerMinute: Int
    package var concurrency: Int
    package var logLevel: Logger.Level
    package var logFormat: LogFormat
    /// The secrets above, for a process that must notice when their files change.
    package var secrets: SecretSources
    /// What an operator should know, although it stops no start.
    package var warnings: [String]

    /// Telnyx's own API.
    package static let standardBaseURL = "https://api.telnyx.com/v2"

    /// Reads and checks every setting. The keys of `flags` are names of settings.
    ///
    /// Throws `SettingsError` with all problems.
    package static func read(
        flags: [String: String] = [:], environment: [String: String] = SecretVariables.environment
    ) async throws -> Settings {
        var source = try await SettingsSource(flags: flags, environment: environment)
        let (database, listen) = (source.databaseURLs(), source.listenAddress())
        let isPooled = source.isPooled()
        let (durability, serverIdentity) = (source.durability(), source.serverIdentity())
        let (logLevel, logFormat, telnyxKey) = (source.logLevel(), source.logFormat(), source.telnyxKey())
        let (kek, baseURL) = (source.kek(), source.baseURL("TELNYX_BASE_URL", default: Self.standardBaseURL))
        let settings = Settings(
            databaseURL: Secret(database.url), databaseDirectURL: Secret(database.directURL), isPooled: isPooled,
            durability: durability, serverIdentity: serverIdentity,
            databaseWait: source.duration("DIALTONE_WAIT_FOR_DATABASE", default: .seconds(30)),
            listenHost: listen.host, listenPort: listen.port,
            keepAlive: source.duration("DIALTONE_KEEP_ALIVE", default: .seconds(75)),
            statusListen: source.statusAddress(), publicURL: source.publicURL("DIALTONE_PUBLIC_URL"), kek: kek,
            telnyxKey: telnyxKey.map { Secret($0) }, telnyxBaseURL: baseURL,
            providerProxy: source.providerProxy(for: baseURL),
            connectionID: source.connectionID(), lease: source.duration("DIALTONE_LEASE", default: .seconds(30)),
            httpDeadline: source.duration("DIALTONE_HTTP_DEADLINE", default: .seconds(10)),
            providerMargin: source.duration("DIALTONE_PROVIDER_MARGIN", default: .seconds(30)),
            tagCapacity: source.number("DIALTONE_TAG_CAPACITY", default: 980, in: 1...1000),
            sweepInterval: source.duration("DIALTONE_SWEEP_INTERVAL", default: .seconds(3600)),
            rotationOverlap: source.duration("DIALTONE_ROTATION_OVERLAP", default: .seconds(300)),
            quarantineDays: source.number("DIALTONE_QUARANTINE_DAYS", default: 14, in: 1...90),
            retention: source.retention(),
            providerRate: source.text("DIALTONE_PROVIDER_RATE").map { _ in
                source.number("DIALTONE_PROVIDER_RATE", default: 1, in: 1...100_000)
            },
            tokenRate: source.number("DIALTONE_TOKEN_RATE", default: 50, in: 1...100_000),
            sourceRate: source.number("DIALTONE_SOURCE_RATE", default: 20_000, in: 1...1_000_000),
            readsPerMinute: source.number("DIALTONE_READS_PER_MINUTE", default: 1200, in: 1...10_000_000),
            concurrency: source.number("DIALTONE_CONCURRENCY", default: 64, in: 1...1000), logLevel: logLevel,
            logFormat: logFormat, secrets: source.secrets(database, telnyxKey), warnings: source.warnings)
        if settings.lease < settings.httpDeadline + .seconds(5) {
            source.complain("DIALTONE_LEASE", "must be at least 5 s longer than DIALTONE_HTTP_DEADLINE")
        }
        guard source.problems.isEmpty else { throw SettingsError(problems: source.problems) }
        return settings
    }

    // MARK: Mistyped names

    /// Returns the variables that look like settings but are none. They are most likely mistyped.
    package static func unknownNames(in environment: [String: String]) -> [String] {
        environment.keys.filter { name in
            name.hasPrefix("DIALTONE_") && !Self.names.contains(name)
                && !(name.hasSuffix("_FILE") && Self.names.contains(String(name.dropLast(5))))
        }.sorted()
    }

    private static let names: Set<String> = [
        "DIALTONE_CONFIG", "DIALTONE_POOLER", "DIALTONE_STATUS_LISTEN", "DIALTONE_LISTEN", "DIALTONE_PUBLIC_URL",
        "DIALTONE_KEK", "DIALTONE_KEEP_ALIVE", "DIALTONE_LEASE",
        "DIALTONE_HTTP_DEADLINE", "DIALTONE_PROVIDER_MARGIN", "DIALTONE_TAG_CAPACITY", "DIALTONE_CONCURRENCY",
        "DIALTONE_SWEEP_INTERVAL", "DIALTONE_ROTATION_OVERLAP", "DIALTONE_PROVIDER_RATE", "DIALTONE_TOKEN_RATE",
        "DIALTONE_SOURCE_RATE", "DIALTONE_QUARANTINE_DAYS", "DIALTONE_JOB_LOG_DAYS", "DIALTONE_EVENT_DAYS",
        "DIALTONE_DURABILITY", "DIALTONE_SERVER_IDENTITY", "DIALTONE_WAIT_FOR_DATABASE",
        "DIALTONE_LOG_LEVEL", "DIALTONE_LOG_FORMAT",
        "DIALTONE_ALLOW_HTTP", "DIALTONE_SOURCE_SECRET", "DIALTONE_API_KEY", "DIALTONE_URL", "DIALTONE_PROFILE",
        "DIALTONE_TENANT", "DIALTONE_READS_PER_MINUTE", "DIALTONE_PG_BINDIR", "DIALTONE_PYTHON",
    ]

    // MARK: Forms

    /// Returns the time that a text such as `500ms`, `30s`, `2m` or `1h` means; nil above a week, or for another text.
    package static func duration(_ text: String) -> Duration? {
        for (unit, milliseconds) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] where text.hasSuffix(unit)
        {
            if let number = Int(text.dropLast(unit.count)), number >= 0, number <= 604_800_000 / milliseconds {
                return .milliseconds(number * milliseconds)
            }
        }
        return nil
    }

    /// Returns host and port of `host:port`, `[v6]:port` or `:port`; nil for another text.
    package static func address(_ text: String) -> (host: String, port: Int)? { ListenAddress.parse(text) }

    /// Whether the direct URL leads to a session of the server's own, and not into the pooler.
    var hasDirectSession: Bool {
        !self.isPooled || self.databaseDirectURL.reveal() != self.databaseURL.reveal()
    }

    /// The address to listen on as `host:port`.
    package var listenAddress: String { ListenAddress.shown(host: self.listenHost, port: self.listenPort) }
}
