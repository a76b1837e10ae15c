// SPDX-License-Identifier: Apache-2.0
// `dialtone check`: tries settings, database and provider before the service has to, and creates nothing.

import AsyncHTTPClient
import Foundation
import Model
import Onboarding
import Postgres
import Schema
import Telnyx
import Vault

extension Administration {
    /// One thing that was tried, and the problem with it if there is one.
    package typealias Checked = (name: String, problem: String?)

    /// Tries settings and database, and if asked the provider. Returns a line for each thing that was tried.
    package func check(provider: Bool) async throws -> [Checked] {
        var lines = [self.checkSettings(), self.checkKeyEncryptionKey()]
        lines += self.checkTLS()
        lines += await self.checkDatabase()
        if provider { lines += await self.checkProvider() }
        return lines
    }

    private func checkSettings() -> Checked {
        let unknown = Settings.unknownNames(in: ProcessInfo.processInfo.environment)
        return ("settings", unknown.isEmpty ? nil : "there is no setting \(unknown.joined(separator: ", "))")
    }

    private func checkKeyEncryptionKey() -> Checked {
        do {
            _ = try SharedParts(self.settings, connections: 1)
            return ("key-encryption key", nil)
        } catch {
            return ("key-encryption key", "\(error)")
        }
    }

    /// Says what the connection strings ask of TLS. An error of the connection itself says what to write.
    private func checkTLS() -> [Checked] {
        let (url, direct) = (self.settings.databaseURL.reveal(), self.settings.databaseDirectURL.reveal())
        let pooled = Self.checkTLS(of: "DATABASE_URL", url)
        return url == direct ? [pooled] : [pooled, Self.checkTLS(of: "DATABASE_DIRECT_URL", direct)]
    }

    private static func checkTLS(of name: String, _ url: String) -> Checked {
        do throws(PostgresError) {
            return ("TLS of \(name): \(try PostgresConfiguration(url: url).tlsInWords)", nil)
        } catch {
            return ("TLS of \(name)", error.message)
        }
    }

    private func checkDatabase() async -> [Checked] {
        var lines: [Checked] = [("database", await Self.problem { try await DatabaseWay.verifyServer(self.settings) })]
        guard lines[0].problem == nil else { return lines }
        lines.append(
            ("way to the database", await Self.problem { try await DatabaseWay.verifyPooling(self.settings) }))
        if lines[1].problem == nil {
            lines[1].problem = await Self.problem { try await DatabaseWay.verifyDirect(self.settings) }
        }
        lines.append(await self.checkLogin())
        guard lines.allSatisfy({ $0.problem == nil }) else { return lines }
        return lines + (await self.checkAsService())
    }

    /// More rights than serving needs are no failure.
    private func checkLogin() async -> Checked {
        do {
            let login = try await DatabaseWay.login(self.settings)
            let warning = login.excess.isEmpty ? "" : "; WARNING: it \(login.excess.joined(separator: ", it "))"
            return ("serving login \(login.name)\(warning)", nil)
        } catch let error as SchemaError {
            if case .behind = error { return ("schema", "\(error)") }
            return ("serving login", "\(error)")
        } catch {
            return ("serving login", "\(error)")
        }
    }

    /// What the service asks of the database, on a connection like the service's.
    private func checkAsService() async -> [Checked] {
        do {
            let connection = try await SharedParts.connect(self.settings)
            var lines = [await self.checkSchema(on: connection)]
            if let kek = try? SharedParts.kek(self.settings) {
                do {
                    try await TenantKeys.verify(kek, on: connection)
                } catch let error as WrongKeyEncryptionKey {
                    lines.append(("keys in the database", "\(error)"))
                } catch {}
            }
            let identity = self.settings.serverIdentity
            lines.append(("server's identity", await Self.problem { try await identity.verify(on: connection) }))
            await connection.close()
            return lines
        } catch {
            return [("database", "\(error)")]
        }
    }

    private func checkSchema(on connection: PostgresConnection) async -> Checked {
        let durability = self.settings.durability
        do {
            // A pooler, or `target_session_attrs=any`, lets a session begin that takes no writes.
            try await ServerRequirements.verifyTakesWrites(on: connection)
            try await Schema(durability: durability).verify(on: connection)
            try await ServerRequirements.verifyIsolation(on: connection)
            let accepted = try await durability.accepted(on: connection).map { "; \($0)=off is accepted" }.joined()
            let reason = accepted.isEmpty ? "" : " by DIALTONE_DURABILITY=storage"
            return ("schema and durability\(accepted)\(reason)", nil)
        } catch {
            return ("schema and durability", "\(error)")
        }
    }

    private static func problem(_ work: () async throws -> Void) async -> String? {
        do {
            try await work()
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Asks for one credential of each connection in use, and then for the connection. The answers show whether the
    /// provider accepts the key, and whether it knows the connection.
    private func checkProvider() async -> [Checked] {
        guard let key = self.settings.telnyxKey else { return [("provider", "TELNYX_API_KEY is not set")] }
        let (api, http) = self.provider(key, concurrency: 2)
        var lines = self.checkPlace()
        let tenants = (try? await self.tenants()) ?? []
        let connections = Set(tenants.map(\.connection_id)).union([self.settings.connectionID].compactMap { $0 })
        for connection in connections.isEmpty ? [""] : connections.sorted() {
            let query = ListQuery(resourceID: connection.isEmpty ? nil : "connection:\(connection)", pageSize: 1)
            let name = connection.isEmpty ? "provider" : "provider, connection \(connection)"
            do throws(TelnyxFailure) {
                _ = try await api.list(query, page: 1)
                lines.append(
                    await connection.isEmpty ? (name, nil) : self.checkConnection(connection, name, api))
            } catch {
                lines.append((name, error.asProblem))
            }
        }
        try? await http.shutdown()
        return lines
    }

    /// Who tries the service out with the simulator must not take its answers for the provider's.
    private func checkPlace() -> [Checked] {
        let url = self.settings.telnyxBaseURL
        guard url != Settings.standardBaseURL else { return [] }
        return [("provider is at TELNYX_BASE_URL=\(url); that is not Telnyx itself", nil)]
    }

    /// A list of credentials is empty for a connection that does not exist, so the connection itself is asked for.
    private func checkConnection(_ id: String, _ name: String, _ api: TelnyxClient) async -> Checked {
        switch await api.connection(id) {
        case .active: (name, nil)
        case .inactive: (name, "the provider has it switched off")
        case .missing: (name, "the provider knows no credential connection of this id")
        case .unknown(let reason): ("\(name) (the key works; whether it exists is not known: \(reason))", nil)
        }
    }
}
