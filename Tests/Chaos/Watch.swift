// SPDX-License-Identifier: Apache-2.0
// Somebody looks twice a second, all the time, for users whom everyone has forgotten; a sweep would hide them.

import Composition
import Foundation
import Model
import Postgres
import Synchronization

final class Watch: Sendable {
    private let settings: Settings
    private let state = Mutex((seen: [String: String](), looks: 0))

    init(_ settings: Settings) { self.settings = settings }

    /// Users who were seen forgotten, and how.
    var forgotten: [String: String] { self.state.withLock { $0.seen } }
    /// How often the database could be asked.
    var looks: Int { self.state.withLock { $0.looks } }

    /// Until cancelled. A server that is away is asked again.
    func run() async {
        while !Task.isCancelled {
            if let connection = try? await PostgresConnection.connect(Foundations.database(self.settings)) {
                try? await self.look(on: connection)
                await connection.close()
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Users whose actual state is not the wanted one and who have no job; those who have failed wait for an operator.
    /// One statement, and so one moment: there is none at which a user may stand like that, for every transaction that
    /// changes what is wanted or what is there leaves a job, and commits that a fail-over loses are the last ones, as
    /// if they had not been.
    static let forgotten: SQL = """
        select u.tenant_id || '/' || u.user_id,
               concat_ws(' ', u.wanted, u.status, 'generation', u.generation, 'credentials',
                         coalesce((select string_agg(c.generation || ':' || c.status, ',') from dialtone.credentials c
                                   where c.tenant_id = u.tenant_id and c.user_id = u.user_id), 'none'))
        from dialtone.users u
        where u.status <> 'failed'
          and not exists (select 1 from dialtone.jobs j where j.tenant_id = u.tenant_id and j.user_id = u.user_id)
          and (u.status <> case u.wanted when 'live' then 'ready' else 'revoked' end
               or u.wanted = 'live' and not exists (
                   select 1 from dialtone.credentials c where c.tenant_id = u.tenant_id and c.user_id = u.user_id
                   and c.generation = u.generation and c.status = 'active')
               or exists (select 1 from dialtone.credentials c where c.tenant_id = u.tenant_id and c.user_id = u.user_id
                          and c.status <> 'deleted' and (u.wanted = 'gone' or c.generation <> u.generation)))
        """

    private func look(on connection: PostgresConnection) async throws {
        self.remember(try await connection.query(Self.forgotten).map { try $0.decode(String.self, String.self) })
    }

    func remember(_ users: [(String, String)]) {
        self.state.withLock { state in
            state.looks += 1
            for (user, how) in users { state.seen[user] = state.seen[user] ?? how }
        }
    }
}
