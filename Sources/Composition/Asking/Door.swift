// SPDX-License-Identifier: Apache-2.0
// The way by which a command asks: over HTTP with a key, or in the database with the operator's settings.

import Directory
import Foundation
package import Model
import Postgres

package enum Door: Sendable {
    case service(APIAddress, key: Secret<String>, tenant: TenantID?)
    case database(Settings)

    /// What a command line says of the way.
    package struct Signs: Sendable {
        package var url: String?
        package var profile: String?

        package init(url: String? = nil, profile: String? = nil) {
            self.url = url
            self.profile = profile
        }
    }

    /// Chooses the way: what the line says before what the environment says. In each of them a URL comes before a
    /// profile. Then come DATABASE_URL and, where that is not set, the usual profile.
    ///
    /// `settings` reads the operator's settings, which a command over HTTP does not need.
    package static func choose(
        _ signs: Signs, environment: [String: String], settings: () async throws -> Settings
    ) async throws -> Door {
        let profiles = Profiles(environment: environment)
        let said = [
            (url: signs.url, profile: signs.profile, name: "--profile"),
            (url: environment["DIALTONE_URL"], profile: environment["DIALTONE_PROFILE"], name: "DIALTONE_PROFILE"),
        ]
        for (url, profile, name) in said {
            if let url = Self.set(url) { return try Self.service(at: url, environment: environment) }
            if let profile = Self.set(profile) { return try Self.service(named: profile, by: name, profiles) }
        }
        let isSet = Self.isSet("DATABASE_URL", environment)
        let hasFile = Self.set(environment["DIALTONE_CONFIG"]) != nil
        if !isSet, !hasFile, let profile = try profiles?.profile(Profiles.usual) { return try Self.service(profile) }
        if !isSet, !hasFile {
            throw SettingsError(problems: [
                "neither DIALTONE_URL (with DIALTONE_API_KEY) nor DATABASE_URL is set: with the first a command asks a "
                    + "running service, with the second the database"
            ])
        }
        return .database(try await settings())
    }

    private static func service(at url: String, environment: [String: String]) throws -> Door {
        let address = try APIAddress(named: url)
        guard let key = try Self.secret("DIALTONE_API_KEY", environment) else {
            throw SettingsError(problems: [
                "DIALTONE_API_KEY is not set (or DIALTONE_API_KEY_FILE); the service at \(address.base) asks for it"
            ])
        }
        let tenant = try Self.set(environment["DIALTONE_TENANT"]).map { try TenantID($0) }
        return .service(address, key: Secret(key), tenant: tenant)
    }

    private static func service(named name: String, by setting: String, _ profiles: Profiles?) throws -> Door {
        guard let profile = try profiles?.profile(name) else {
            throw InvalidValue(setting, "\(name) is not known: dialtone login --profile \(name) --url …")
        }
        return try Self.service(profile)
    }

    private static func service(_ profile: Profile) throws -> Door {
        .service(
            try APIAddress(named: profile.url), key: Secret(profile.key),
            tenant: try profile.tenant.map { try TenantID($0) })
    }

    private static func isSet(_ name: String, _ environment: [String: String]) -> Bool {
        Self.set(environment[name]) != nil || Self.set(environment[name + Self.inFile]) != nil
    }

    /// What a variable holds, or the file that the variable with this ending names.
    private static func secret(_ name: String, _ environment: [String: String]) throws -> String? {
        guard let path = Self.set(environment[name + Self.inFile]) else { return Self.set(environment[name]) }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw InvalidValue(name + Self.inFile, "names a file that cannot be read")
        }
        return Self.set(text)
    }

    private static let inFile = "_FILE"

    /// An empty variable is none.
    private static func set(_ value: String?) -> String? {
        value.map { SettingText.cleaned($0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Asking

    /// What a command does in the database.
    package enum DatabaseVerb: String, Sendable {
        case asking
        case acting = "acting in"
    }

    /// A line for standard error, so that nobody takes one service for another.
    package var words: String {
        switch self {
        case .service(let address, let key, _): "asking \(address.base) with key \(Self.shown(key))"
        case .database(let settings): "asking \(settings.databaseInWords)"
        }
    }

    /// The line of a command that works in the database alone, whatever leads to a service. `verb`: what it does there.
    package static func databaseWords(
        _ verb: DatabaseVerb, _ settings: Settings, environment: [String: String]
    ) -> String {
        let line = "\(verb.rawValue) \(settings.databaseInWords)"
        let unused = ["DIALTONE_URL", "DIALTONE_PROFILE"].filter { Self.set(environment[$0]) != nil }
        if unused.isEmpty { return line }
        return "\(line); this command does not go over HTTP, and does not use \(unused.joined(separator: " or "))"
    }

    /// The line of a `migrate` that only reads, past a pooler where there is one.
    package static func migrateWords(_ settings: Settings) -> String {
        "asking \(Settings.inWords(settings.databaseDirectURL))"
    }

    /// The service's URL; nil for a database.
    package var url: String? {
        switch self {
        case .service(let address, _, _): address.base
        case .database: nil
        }
    }

    /// The public part of a key.
    private static func shown(_ key: Secret<String>) -> String {
        let parts = key.reveal().split(separator: "_", maxSplits: 2)
        return parts.count == 3 ? "\(parts[0])_\(parts[1])_…" : "…"
    }

    /// Runs `work` with questions that go this way, and with the tenant that is meant where none is named.
    package func ask<Value: Sendable>(
        _ work: (any Questions, TenantID?) async throws -> Value
    ) async throws -> Value {
        switch self {
        case .service(let address, let key, let tenant):
            return try await ServiceAPI.with(address, key: key) { api in
                try await work(RemoteQuestions(api: api), tenant)
            }
        case .database(let settings):
            let administration = Administration(settings)
            return try await administration.withParts { parts in
                let queries = Queries(reads: TenantReads(pool: parts.pool), vault: parts.vault)
                let questions = DirectQuestions(queries: queries, pool: parts.pool, administration: administration)
                return try await work(questions, try Self.tenant)
            }
        }
    }

    /// The tenant that is meant where none is named.
    package var usualTenant: TenantID? {
        get throws {
            switch self {
            case .service(_, _, let tenant): tenant
            case .database: try Self.tenant
            }
        }
    }

    private static var tenant: TenantID? {
        get throws { try Self.set(SecretVariables.environment["DIALTONE_TENANT"]).map { try TenantID($0) } }
    }
}

extension Settings {
    fileprivate var databaseInWords: String { Self.inWords(self.databaseURL) }

    /// The database by its name, its host and its port: nothing of a login, and no URL. Two tunnels differ in their
    /// ports alone.
    fileprivate static func inWords(_ url: Secret<String>) -> String {
        guard let place = try? PostgresConfiguration(url: url.reveal()) else { return "the database" }
        let name = place.database ?? place.user ?? ""
        // An @ in the name is the end of a login that was not encoded as it should be.
        guard !name.isEmpty, !name.contains("@") else { return "the database at \(place.hosts)" }
        return "the database \(name) at \(place.hosts)" + (place.ports.map { " port \($0)" } ?? "")
    }
}
