// SPDX-License-Identifier: Apache-2.0
// Settings that have a rule of their own: addresses, connection strings, proxies, keys and log forms.

import Foundation
import Logging
import Model
import Onboarding
import Postgres
import Schema
import Telemetry
import Telnyx

extension SettingsSource {
    /// Without DATABASE_DIRECT_URL both are the same. A text that is wrong for both is reported once.
    mutating func databaseURLs() -> (url: String, directURL: String) {
        let url = self.secret("DATABASE_URL") ?? ""
        if url.isEmpty {
            self.complain(
                "DATABASE_URL",
                "is not set; it is a libpq connection string, for what an operator does in the database itself")
        }
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

    /// How long what may go is kept.
    mutating func retention() -> RetentionRules {
        var rules = RetentionRules()
        rules.jobLogDays = self.number("DIALTONE_JOB_LOG_DAYS", default: rules.jobLogDays, in: 1...3650)
        rules.eventDays = self.number("DIALTONE_EVENT_DAYS", default: rules.eventDays, in: 7...3650)
        return rules
    }

    /// TELNYX_PROXY wins over HTTPS_PROXY, and over NO_PROXY. HTTPS_PROXY is for https alone, as elsewhere. This
    /// machine is never called through a proxy.
    mutating func providerProxy(for url: String) -> ProviderProxy? {
        let isLocal = ProxyExceptions.isLoopback(url)
        var (name, text) = ("TELNYX_PROXY", self.secret("TELNYX_PROXY"))
        if text == "none" { return nil }
        if text == nil, !isLocal, url.lowercased().hasPrefix("https:"),
            !ProxyExceptions.contain(url, in: self.shared("NO_PROXY") ?? "")
        {
            (name, text) = ("HTTPS_PROXY", self.shared("HTTPS_PROXY"))
        }
        guard let text else { return nil }
        if let proxy = ProviderProxy(Secret(text)) { return isLocal ? nil : proxy }
        self.complain(name, "must be http://host:port, or http://user:password@host:port with % escapes in both")
        return nil
    }

    mutating func listenAddress() -> (host: String, port: Int) {
        let address = Settings.address(self.text("DIALTONE_LISTEN") ?? "127.0.0.1:8080")
        if address == nil {
            self.complain("DIALTONE_LISTEN", "must be host:port, such as 127.0.0.1:8080 or [::1]:8080")
        }
        return address ?? (host: "", port: 0)
    }

    /// `none` means no listener.
    mutating func statusAddress() -> (host: String, port: Int)? {
        let text = self.text("DIALTONE_STATUS_LISTEN") ?? "127.0.0.1:0"
        guard text != "none" else { return nil }
        let address = Settings.address(text)
        if address == nil {
            self.complain("DIALTONE_STATUS_LISTEN", "must be host:port, such as 127.0.0.1:9090, or none")
        }
        return address
    }

    mutating func isPooled() -> Bool {
        let pooler = self.text("DIALTONE_POOLER")
        if let pooler, pooler != "transaction" { self.complain("DIALTONE_POOLER", "must be transaction, or absent") }
        return pooler != nil
    }

    mutating func durability() -> Durability {
        if let durability = Durability(rawValue: self.text("DIALTONE_DURABILITY") ?? "server") { return durability }
        self.complain("DIALTONE_DURABILITY", "must be server or storage")
        return .server
    }

    mutating func serverIdentity() -> ServerIdentity {
        if let identity = ServerIdentity(rawValue: self.text("DIALTONE_SERVER_IDENTITY") ?? "system") {
            return identity
        }
        self.complain("DIALTONE_SERVER_IDENTITY", "must be system or start")
        return .system
    }

    mutating func logLevel() -> Logger.Level {
        if let level = Logger.Level(rawValue: self.text("DIALTONE_LOG_LEVEL") ?? "info") { return level }
        self.complain("DIALTONE_LOG_LEVEL", "must be debug, info, notice, warning or error")
        return .info
    }

    mutating func logFormat() -> LogFormat {
        let text = self.text("DIALTONE_LOG_FORMAT") ?? "auto"
        if text == "auto" { return .automatic }
        if let format = LogFormat(rawValue: text) { return format }
        self.complain("DIALTONE_LOG_FORMAT", "must be json, text or auto")
        return .automatic
    }

    // MARK: Secrets

    /// The place of the key-encryption key.
    mutating func kek() -> String? {
        guard let place = self.text("DIALTONE_KEK") else { return nil }
        if place.hasPrefix("file:") { self.warnOfMode("DIALTONE_KEK", SecretFile(path: String(place.dropFirst(5)))) }
        return place
    }

    /// The provider's key stands in a header of each call. What cannot stand there, or was never meant to, is refused.
    mutating func telnyxKey() -> String? {
        guard let key = self.secret("TELNYX_API_KEY") else { return nil }
        if Self.isKey(key) { return key }
        if key.contains(where: { $0 == "\"" || $0 == "'" }) {
            self.complain("TELNYX_API_KEY", "has quotes in it; give the key without them")
        } else if key.contains(where: { $0.isWhitespace }) {
            self.complain("TELNYX_API_KEY", "has a blank or a line break in it; give the key alone")
        } else {
            self.complain("TELNYX_API_KEY", "has a control character, or one outside ASCII, in it")
        }
        return nil
    }

    /// Visible ASCII without quotes. Anything else cannot stand in a header, or was copied with the key.
    private static func isKey(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
    }

    mutating func connectionID() -> String? {
        guard let id = self.text("TELNYX_CONNECTION_ID") else { return nil }
        if id.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return id }
        self.complain("TELNYX_CONNECTION_ID", "must be digits, such as 1234567890")
        return nil
    }

    func secrets(_ database: (url: String, directURL: String), _ telnyxKey: String?) -> SecretSources {
        let isURL: @Sendable (String) -> Bool = { (try? PostgresConfiguration(url: $0)) != nil }
        let main = self.renewable("DATABASE_URL", database.url, isUsable: isURL)
        let direct = self.renewable("DATABASE_DIRECT_URL", database.directURL, isUsable: isURL)
        return SecretSources(
            database: main, directDatabase: database.directURL == database.url ? main : direct,
            provider: telnyxKey.map { self.renewable("TELNYX_API_KEY", $0) { Self.isKey($0) } })
    }
}
