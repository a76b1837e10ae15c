// SPDX-License-Identifier: Apache-2.0
// Every setting, read once at the start: a flag wins over the environment, and the environment over a file.
//
// The setting DIALTONE_CONFIG names the file. A start reports all wrong settings at once, so that an operator can mend
// them in one go.

import Foundation
package import Logging
package import Model
import Postgres

/// The settings of one process.
package struct Settings: Sendable {
    package var databaseURL: Secret<String>
    /// For LISTEN and `migrate` when `databaseURL` leads to a pooler.
    package var databaseDirectURL: Secret<String>
    /// Whether `databaseURL` leads to a pooler in transaction mode.
    package var isPooled: Bool
    package var listenHost: String
    package var listenPort: Int
    /// The URL under which senders reach the service, without a slash at the end.
    package var publicURL: String?
    /// The key-encryption key, as `env:NAME` or `file:PATH`.
    package var kek: String?
    package var telnyxKey: Secret<String>?
    package var telnyxBaseURL: String
    /// The provider's connection for a tenant that names none.
    package var connectionID: String?
    package var lease: Duration
    package var httpDeadline: Duration
    package var providerMargin: Duration
    package var tagCapacity: Int
    package var sweepInterval: Duration
    /// How long a rotated credential goes on serving.
    package var rotationOverlap: Duration
    /// Creates per second for all nodes together; nil for no limit.
    package var providerRate: Int?
    package var concurrency: Int
    package var logLevel: Logger.Level

    /// Reads and checks every setting. The keys of `flags` are names of settings.
    ///
    /// Throws `SettingsError` with all problems.
    package static func read(
        flags: [String: String] = [:], environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> Settings {
        var source = try await SettingsSource(flags: flags, environment: environment)
        let database = source.databaseURLs()
        let listen = source.listenAddress()
        let isPooled = source.isPooled()
        let logLevel = source.logLevel()
        let settings = Settings(
            databaseURL: Secret(database.url), databaseDirectURL: Secret(database.directURL), isPooled: isPooled,
            listenHost: listen.host, listenPort: listen.port,
            publicURL: source.publicURL("DIALTONE_PUBLIC_URL"), kek: source.text("DIALTONE_KEK"),
            telnyxKey: source.secret("TELNYX_API_KEY").map { Secret($0) },
            telnyxBaseURL: source.baseURL("TELNYX_BASE_URL", default: "https://api.telnyx.com/v2"),
            connectionID: source.text("TELNYX_CONNECTION_ID"),
            lease: source.duration("DIALTONE_LEASE", default: .seconds(30)),
            httpDeadline: source.duration("DIALTONE_HTTP_DEADLINE", default: .seconds(10)),
            providerMargin: source.duration("DIALTONE_PROVIDER_MARGIN", default: .seconds(30)),
            tagCapacity: source.number("DIALTONE_TAG_CAPACITY", default: 980, in: 1...1000),
            sweepInterval: source.duration("DIALTONE_SWEEP_INTERVAL", default: .seconds(600)),
            rotationOverlap: source.duration("DIALTONE_ROTATION_OVERLAP", default: .seconds(300)),
            providerRate: source.text("DIALTONE_PROVIDER_RATE").map { _ in
                source.number("DIALTONE_PROVIDER_RATE", default: 1, in: 1...100_000)
            },
            concurrency: source.number("DIALTONE_CONCURRENCY", default: 64, in: 1...1000), logLevel: logLevel)
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
        "DIALTONE_CONFIG", "DIALTONE_POOLER", "DIALTONE_LISTEN", "DIALTONE_PUBLIC_URL", "DIALTONE_KEK",
        "DIALTONE_LEASE",
        "DIALTONE_HTTP_DEADLINE", "DIALTONE_PROVIDER_MARGIN", "DIALTONE_TAG_CAPACITY", "DIALTONE_CONCURRENCY",
        "DIALTONE_SWEEP_INTERVAL", "DIALTONE_ROTATION_OVERLAP", "DIALTONE_PROVIDER_RATE", "DIALTONE_LOG_LEVEL",
        "DIALTONE_ALLOW_HTTP", "DIALTONE_SOURCE_SECRET", "DIALTONE_PG_BINDIR", "DIALTONE_PYTHON",
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
    package static func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return (host.isEmpty ? "127.0.0.1" : host, port)
    }
}

// MARK: Settings with a rule of their own

extension SettingsSource {
    /// Without DATABASE_DIRECT_URL both are the same. A text that is wrong for both is reported once.
    fileprivate mutating func databaseURLs() -> (url: String, directURL: String) {
        let url = self.secret("DATABASE_URL") ?? ""
        if url.isEmpty { self.complain("DATABASE_URL", "is not set; it is a libpq connection string") }
        let directURL = self.secret("DATABASE_DIRECT_URL") ?? url
        self.checkConnectionString("DATABASE_URL", url)
        if directURL != url { self.checkConnectionString("DATABASE_DIRECT_URL", directURL) }
        return (url, directURL)
    }

    private mutating func checkConnectionString(_ name: String, _ text: String) {
        guard !text.isEmpty else { return }
        do throws(PostgresError) {
            _ = try PostgresConfiguration(url: text)
        } catch {
            self.complain(name, "cannot be read: \(error.message)")
        }
    }

    fileprivate mutating func listenAddress() -> (host: String, port: Int) {
        let address = Settings.address(self.text("DIALTONE_LISTEN") ?? "127.0.0.1:8080")
        if address == nil { self.complain("DIALTONE_LISTEN", "must be host:port, such as 127.0.0.1:8080") }
        return address ?? (host: "", port: 0)
    }

    fileprivate mutating func isPooled() -> Bool {
        let pooler = self.text("DIALTONE_POOLER")
        if let pooler, pooler != "transaction" { self.complain("DIALTONE_POOLER", "must be transaction, or absent") }
        return pooler != nil
    }

    fileprivate mutating func logLevel() -> Logger.Level {
        if let level = Logger.Level(rawValue: self.text("DIALTONE_LOG_LEVEL") ?? "info") { return level }
        self.complain("DIALTONE_LOG_LEVEL", "must be debug, info, notice, warning or error")
        return .info
    }
}
