// SPDX-License-Identifier: Apache-2.0
// The operator's calls on the ledger as a whole: one sweep against the provider, and the installation's identity.

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

extension Administration {
    // MARK: Sweep

    /// Runs one sweep to its end. `tell` gets a line of progress now and then.
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
                    let sweep = Sweep(
                        pool: pool, api: api, limits: ProviderLimits(pool: pool),
                        installation: try row.decode(UUID.self), lease: self.settings.lease,
                        landingTime: self.settings.httpDeadline + self.settings.providerMargin, options: options,
                        interval: self.settings.sweepInterval, tell: tell)
                    tell(try await sweep.estimate(tenant: options.tenant).line)
                    return try await sweep.run(tenant: options.tenant, by: self.settings.serverIdentity)
                })
        } catch {
            result = .failure(error)
        }
        try? await http.shutdown()
        return try result.get()
    }

    /// The provider's API for one command. The caller shuts the HTTP client down.
    func provider(_ key: Secret<String>, concurrency: Int) -> (TelnyxClient, HTTPClient) {
        let http = self.settings.providerClient(connections: concurrency)
        let api = TelnyxClient(
            configuration: .init(
                baseURL: self.settings.telnyxBaseURL, apiKey: key, deadline: self.settings.httpDeadline),
            http: http)
        return (api, http)
    }

    // MARK: Installation

    /// Returns nil when the database has no installation.
    package func installation() async throws -> InstallationLine? {
        try await self.withPool { pool in
            try await pool.withConnection { try await InstallationConfirmation.state(on: $0) }
        }.map(InstallationLine.init)
    }

    /// Confirms the installation after its database was found on another system.
    ///
    /// A clone becomes a second installation beside the first. Otherwise it is the same installation, which has moved.
    package func confirmInstallation(isClone: Bool) async throws {
        let identity = self.settings.serverIdentity
        try await self.withPool { pool in
            try await pool.withConnection { connection in
                if isClone {
                    try await InstallationConfirmation.confirmClone(by: identity, on: connection)
                } else {
                    try await InstallationConfirmation.confirmSame(on: connection)
                }
            }
        }
    }
}
