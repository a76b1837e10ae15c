// SPDX-License-Identifier: Apache-2.0
// `dialtone check`: tries settings, database and provider before the service has to, and creates nothing.

import AsyncHTTPClient
import Foundation
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

    private func checkDatabase() async -> [Checked] {
        do {
            let connection = try await SharedParts.connect(self.settings)
            var lines: [Checked] = [("database", nil)]
            do {
                try await Schema().verify(on: connection)
                lines.append(("schema and durability", nil))
            } catch {
                lines.append(("schema and durability", "\(error)"))
            }
            if let kek = try? SharedParts.kek(self.settings) {
                do {
                    try await TenantKeys.verify(kek, on: connection)
                } catch let error as WrongKeyEncryptionKey {
                    lines.append(("keys in the database", "\(error)"))
                } catch {}
            }
            await connection.close()
            return lines
        } catch {
            return [("database", "\(error)")]
        }
    }

    /// Asks for one credential of each connection in use. The answer shows whether the provider accepts the key and
    /// knows the connection.
    private func checkProvider() async -> [Checked] {
        guard let key = self.settings.telnyxKey else { return [("provider", "TELNYX_API_KEY is not set")] }
        let (api, http) = self.provider(key, concurrency: 2)
        var lines: [Checked] = []
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
