// SPDX-License-Identifier: Apache-2.0
// What an operator looks after: limits, the sweep, what the installation is, and whether all is as it should be.

import Access
import AsyncHTTPClient
import Directory
import Foundation
import Intake
package import Model
import Onboarding
import Postgres
import ProviderLimits
import Schema
import Telnyx
import Vault

extension Administration {
    // MARK: Limits

    package func limits() async throws -> [LimitLine] {
        try await self.withPool { try await ProviderLimits(pool: $0).list() }.map { LimitLine($0) }
    }

    /// Calls per second for a tenant's connection, for all nodes together; nil for no limit.
    package func setRate(_ rate: Double?, of tenant: TenantID) async throws -> LimitLine {
        try await self.withPool { pool in
            guard let tenant = try await Tenants(pool: pool).show(tenant) else {
                throw SourceError.unknownTenant(tenant)
            }
            try await ProviderLimits(pool: pool).setRate(rate, for: .connection(tenant.connectionID))
            // Who waits by the old rate lines up anew. Index jobs_scheduled.
            _ = try await pool.query(
                """
                with waiting as materialized (
                    select j.id from dialtone.jobs j join dialtone.tenants t on t.tenant_id = j.tenant_id
                    where t.connection_id = \(tenant.connectionID) and j.state = 'scheduled'
                    order by j.tenant_id, j.user_id for no key update of j)
                update dialtone.jobs j set run_at = clock_timestamp() from waiting
                where j.id = waiting.id and j.state = 'scheduled'
                """)
            return LimitLine(connection: tenant.connectionID, rate: rate)
        }
    }

    // MARK: Sweep and installation

    package func sweep(
        _ options: SweepOptions, tell: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> SweepReport {
        guard let key = self.settings.telnyxKey else {
            throw SettingsError(problems: ["TELNYX_API_KEY is not set (or TELNYX_API_KEY_FILE)"])
        }
        let (api, http) = self.provider(key, concurrency: 4)
        let result: Result<SweepReport, any Error>
        do {
            result = .success(
                try await self.withPool { pool in
                    if let tenant = options.tenant, try await Tenants(pool: pool).show(tenant) == nil {
                        throw SourceError.unknownTenant(tenant)
                    }
                    let row = try await pool.query("select id from dialtone.installation").first
                    guard let row else { throw SchemaError.behind(missing: 1) }
                    return try await Sweep(
                        pool: pool, api: api, limits: ProviderLimits(pool: pool),
                        installation: try row.decode(UUID.self), lease: self.settings.lease,
                        landingTime: self.settings.httpDeadline + self.settings.providerMargin, options: options
                    ).runToTheEnd(tell: tell)
                })
        } catch {
            result = .failure(error)
        }
        try? await http.shutdown()
        return try result.get()
    }

    package func installation() async throws -> InstallationLine? {
        try await self.withPool { pool in
            try await pool.withConnection { try await InstallationConfirmation.state(on: $0) }
        }.map(InstallationLine.init)
    }

    package func confirmInstallation(isClone: Bool) async throws {
        try await self.withPool { pool in
            try await pool.withConnection { connection in
                if isClone {
                    try await InstallationConfirmation.confirmClone(on: connection)
                } else {
                    try await InstallationConfirmation.confirmSame(on: connection)
                }
            }
        }
    }

    // MARK: Check

    /// Tries settings, database and, if asked, the provider, creating nothing. Answers a line per thing tried.
    package func check(provider: Bool) async throws -> [(name: String, problem: String?)] {
        let unknown = Settings.unknownNames(in: ProcessInfo.processInfo.environment)
        var lines: [(name: String, problem: String?)] = [
            ("settings", unknown.isEmpty ? nil : "there is no setting \(unknown.joined(separator: ", "))")
        ]
        do {
            _ = try Foundations(self.settings, connections: 1)
            lines.append(("key-encryption key", nil))
        } catch {
            lines.append(("key-encryption key", "\(error)"))
        }
        do {
            let connection = try await Foundations.connect(self.settings)
            lines.append(("database", nil))
            do {
                try await Schema().verify(on: connection)
                lines.append(("schema and durability", nil))
            } catch {
                lines.append(("schema and durability", "\(error)"))
            }
            if let kek = try? Foundations.kek(self.settings) {
                do {
                    try await TenantKeys.verify(kek, on: connection)
                } catch let error as WrongKeyEncryptionKey {
                    lines.append(("keys in the database", "\(error)"))
                } catch {}
            }
            await connection.close()
        } catch {
            lines.append(("database", "\(error)"))
        }
        if provider { lines += await self.checkProvider() }
        return lines
    }

    /// The provider's API for one command; whoever asked shuts the HTTP client down.
    private func provider(_ key: Secret<String>, concurrency: Int) -> (TelnyxClient, HTTPClient) {
        let deadline = self.settings.httpDeadline
        let http = HTTPClient(
            configuration: TelnyxClient.httpConfiguration(concurrency: concurrency, deadline: deadline))
        let api = TelnyxClient(
            configuration: .init(baseURL: self.settings.telnyxBaseURL, apiKey: key, deadline: deadline), http: http)
        return (api, http)
    }

    func checkProvider() async -> [(name: String, problem: String?)] {
        guard let key = self.settings.telnyxKey else { return [("provider", "TELNYX_API_KEY is not set")] }
        let (api, http) = self.provider(key, concurrency: 2)
        var lines: [(name: String, problem: String?)] = []
        let tenants = (try? await self.tenants()) ?? []
        let connections = Set(tenants.map(\.connection_id)).union([self.settings.connectionID].compactMap { $0 })
        for connection in connections.isEmpty ? [""] : connections.sorted() {
            let query = ListQuery(resourceID: connection.isEmpty ? nil : "connection:\(connection)", pageSize: 1)
            let name = connection.isEmpty ? "provider" : "provider, connection \(connection)"
            do throws(TelnyxFailure) {
                _ = try await api.list(query, page: 1)
                lines.append((name, nil))
            } catch {
                lines.append((name, error.description))
            }
        }
        try? await http.shutdown()
        return lines
    }
}
