// SPDX-License-Identifier: Apache-2.0
// Every setting, read once: a flag wins over the environment, the environment over the file DIALTONE_CONFIG names.

import Configuration
import Foundation
package import Logging
package import Model
import Postgres

/// All settings that are wrong or missing, by name; never a secret's value.
package struct SettingsError: Error, CustomStringConvertible {
    package let problems: [String]
    package var description: String { self.problems.joined(separator: "\n") }
}

/// The settings of one process.
package struct Settings: Sendable {
    package var databaseURL: Secret<String>
    /// For LISTEN and `migrate` when `databaseURL` leads to a pooler.
    package var databaseDirectURL: Secret<String>
    package var isPooled: Bool
    package var listenHost: String
    package var listenPort: Int
    package var publicURL: String?
    /// `env:NAME` or `file:PATH`.
    package var kek: String?
    package var telnyxKey: Secret<String>?
    package var telnyxBaseURL: String
    package var connectionID: String?
    package var lease: Duration
    package var httpDeadline: Duration
    package var providerMargin: Duration
    package var tagCapacity: Int
    package var sweepInterval: Duration
    /// How long a rotated credential may serve on.
    package var rotationOverlap: Duration
    /// Creates per second for all nodes together; nil for no limit.
    package var providerRate: Int?
    package var concurrency: Int
    package var logLevel: Logger.Level

    /// Reads and checks everything. `flags` are by the setting's name. Throws `SettingsError` naming all that is wrong.
    package static func read(
        flags: [String: String] = [:], environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> Settings {
        var source = try await SettingsSource(flags: flags, environment: environment)
        let databaseURL = source.secret("DATABASE_URL") ?? ""
        if databaseURL.isEmpty { source.complain("DATABASE_URL", "is not set; it is a libpq connection string") }
        let databaseDirectURL = source.secret("DATABASE_DIRECT_URL") ?? databaseURL
        for (name, url) in [("DATABASE_URL", databaseURL), ("DATABASE_DIRECT_URL", databaseDirectURL)]
        where !url.isEmpty && (name == "DATABASE_URL" || url != databaseURL) {
            do throws(PostgresError) {
                _ = try PostgresConfiguration(url: url)
            } catch {
                source.complain(name, "cannot be read: \(error.message)")
            }
        }
        let listen = source.text("DIALTONE_LISTEN") ?? "127.0.0.1:8080"
        let address = Self.address(listen)
        if address == nil { source.complain("DIALTONE_LISTEN", "must be host:port, such as 127.0.0.1:8080") }
        let pooler = source.text("DIALTONE_POOLER")
        if let pooler, pooler != "transaction" { source.complain("DIALTONE_POOLER", "must be transaction, or absent") }
        let level = source.text("DIALTONE_LOG_LEVEL") ?? "info"
        if Logger.Level(rawValue: level) == nil {
            source.complain("DIALTONE_LOG_LEVEL", "must be debug, info, notice, warning or error")
        }
        let settings = Settings(
            databaseURL: Secret(databaseURL),
            databaseDirectURL: Secret(databaseDirectURL),
            isPooled: pooler != nil, listenHost: address?.host ?? "", listenPort: address?.port ?? 0,
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
            concurrency: source.number("DIALTONE_CONCURRENCY", default: 64, in: 1...1000),
            logLevel: Logger.Level(rawValue: level) ?? .info)
        if settings.lease < settings.httpDeadline + .seconds(5) {
            source.complain("DIALTONE_LEASE", "must be at least 5 s longer than DIALTONE_HTTP_DEADLINE")
        }
        guard source.problems.isEmpty else { throw SettingsError(problems: source.problems) }
        return settings
    }

    /// Variables that look like settings and are none: most likely mistyped.
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

    /// `500ms`, `30s`, `2m`, `1h`; a week at most.
    package static func duration(_ text: String) -> Duration? {
        for (unit, milliseconds) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] where text.hasSuffix(unit)
        {
            if let number = Int(text.dropLast(unit.count)), number >= 0, number <= 604_800_000 / milliseconds {
                return .milliseconds(number * milliseconds)
            }
        }
        return nil
    }

    /// Host and port of `host:port`, `[v6]:port` or `:port`.
    package static func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return (host.isEmpty ? "127.0.0.1" : host, port)
    }
}

/// Looks settings up by name and remembers what was wrong with them.
private struct SettingsSource {
    private let reader: ConfigReader
    private(set) var problems: [String] = []

    init(flags: [String: String], environment: [String: String]) async throws {
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                values: Dictionary(
                    uniqueKeysWithValues: flags.map { name, value in
                        (AbsoluteConfigKey(Self.key(name)), ConfigValue(.string(value), isSecret: false))
                    })),
            EnvironmentVariablesProvider(environmentVariables: environment),
        ]
        if let path = flags["DIALTONE_CONFIG"] ?? environment["DIALTONE_CONFIG"] {
            let file = ConfigReader(
                provider: InMemoryProvider(values: ["filePath": .init(.string(path), isSecret: false)]))
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(config: file))
            } catch {
                throw SettingsError(problems: ["DIALTONE_CONFIG names \(path), which cannot be read as YAML"])
            }
        }
        self.reader = ConfigReader(providers: providers)
    }

    mutating func complain(_ name: String, _ what: String) { self.problems.append("\(name) \(what)") }

    func text(_ name: String) -> String? {
        let value = self.reader.string(forKey: Self.key(name))
        return value?.isEmpty == true ? nil : value
    }

    /// A secret: by its name, or in the file that `<NAME>_FILE` names.
    mutating func secret(_ name: String) -> String? {
        if let value = self.reader.string(forKey: Self.key(name), isSecret: true), !value.isEmpty { return value }
        guard let path = self.text("\(name)_FILE") else { return nil }
        guard let value = try? String(contentsOfFile: path, encoding: .utf8) else {
            self.complain("\(name)_FILE", "names \(path), which cannot be read")
            return nil
        }
        return value.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    mutating func duration(_ name: String, default standard: Duration) -> Duration {
        guard let text = self.text(name) else { return standard }
        if let duration = Settings.duration(text), duration > .zero { return duration }
        self.complain(name, "must be a time such as 30s, 500ms, 2m or 1h")
        return standard
    }

    mutating func number(_ name: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = self.text(name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            self.complain(name, "must be a number from \(range.lowerBound) to \(range.upperBound)")
            return standard
        }
        return number
    }

    /// What senders reach us by, without a slash at the end.
    mutating func publicURL(_ name: String) -> String? {
        guard var text = self.text(name) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""), url.host?.isEmpty == false,
            url.query == nil, url.fragment == nil
        else {
            self.complain(name, "must be a URL such as https://hooks.example.com")
            return nil
        }
        return text
    }

    /// https, or plain http to this machine; anywhere else the key would travel in clear.
    mutating func baseURL(_ name: String, default standard: String) -> String {
        guard let text = self.text(name) else { return standard }
        guard let url = URL(string: text), let host = url.host, let scheme = url.scheme else {
            self.complain(name, "must be a URL such as \(standard)")
            return standard
        }
        let isLocal = ["127.0.0.1", "::1", "localhost"].contains(host)
        if scheme != "https" && !(scheme == "http" && (isLocal || self.text("DIALTONE_ALLOW_HTTP") == "true")) {
            self.complain(name, "must be https, or set DIALTONE_ALLOW_HTTP=true for a private network")
        }
        return text
    }

    /// DATABASE_URL is the key database.url: the environment joins by `_`, YAML nests.
    private static func key(_ name: String) -> ConfigKey {
        ConfigKey(name.lowercased().split(separator: "_").map(String.init))
    }
}
