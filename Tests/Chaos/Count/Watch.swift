// SPDX-License-Identifier: Apache-2.0
// A look for forgotten users, twice a second through the whole run. A sweep at the end would hide them.

import Composition
import Foundation
import Model
import Postgres
import Synchronization

final class Watch: Sendable {
    private let settings: Settings
    private let state = Mutex((seen: [String: String](), looks: 0))

    init(_ settings: Settings) { self.settings = settings }

    /// Users who were seen forgotten, and in which state.
    var forgotten: [String: String] { self.state.withLock { $0.seen } }
    /// The same as sentences.
    var findings: [String] {
        self.forgotten.sorted { $0.key < $1.key }.map { "\($0.key) was forgotten: \($0.value)" }
    }
    /// How often the database could be asked.
    var looks: Int { self.state.withLock { $0.looks } }

    /// Looks until it is cancelled. A server that is away is asked again.
    func run() async {
        while !Task.isCancelled {
            if let connection = try? await PostgresConnection.connect(SharedParts.database(self.settings)) {
                try? await self.look(on: connection)
                await connection.close()
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Selects users whose actual state is not the wanted one and who have no job. Failed users are left out: they wait
    /// for an operator.
    ///
    /// This is one statement, and so one moment. At no moment may a user stand like that, because every transaction
    /// that changes the wanted or the actual state leaves a job. A fail-over loses only the last commits, as if they
    /// had not been.
    static let forgotten: SQL = """
        select owner.tenant_id || '/' || owner.user_id,
               concat_ws(' ', owner.wanted, owner.status, 'generation', owner.generation, 'credentials',
                         coalesce((select string_agg(credential.generation || ':' || credential.status, ',')
                                   from dialtone.credentials credential
                                   where credential.tenant_id = owner.tenant_id
                                     and credential.user_id = owner.user_id), 'none'))
        from dialtone.users owner
        where owner.status <> 'failed'
          and not exists (select 1 from dialtone.jobs job
                          where job.tenant_id = owner.tenant_id and job.user_id = owner.user_id)
          and (owner.status <> case owner.wanted when 'live' then 'ready' else 'revoked' end
               or owner.wanted = 'live' and not exists (
                   select 1 from dialtone.credentials credential
                   where credential.tenant_id = owner.tenant_id and credential.user_id = owner.user_id
                     and credential.generation = owner.generation and credential.status = 'active')
               or exists (
                   select 1 from dialtone.credentials credential
                   where credential.tenant_id = owner.tenant_id and credential.user_id = owner.user_id
                     and credential.status <> 'deleted'
                     and (owner.wanted = 'gone' or credential.generation <> owner.generation)))
        """

    private func look(on connection: PostgresConnection) async throws {
        self.remember(try await connection.query(Self.forgotten).map { try $0.decode(String.self, String.self) })
    }

    /// Remembers forgotten users, each in the state in which it was first seen.
    func remember(_ users: [(String, String)]) {
        self.state.withLock { state in
            state.looks += 1
            for (user, how) in users { state.seen[user] = state.seen[user] ?? how }
        }
    }
}
