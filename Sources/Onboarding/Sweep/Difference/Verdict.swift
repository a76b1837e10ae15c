// SPDX-License-Identifier: Apache-2.0
// What a credential is that the ledger does not have, decided by committed rows of the user whose name it bears.

import Model
import Postgres

enum Verdict: String {
    /// Another id owns its generation.
    case second
    /// Nobody wants its generation any more.
    case closed
    /// Of a generation whose commit was lost, of a user who is gone by a word from after that.
    case overtaken
    /// The user's job of this generation is to look.
    case evidence
    /// Wanted, and no job would find it.
    case orphan
    /// Of a generation whose commit was lost.
    case ahead
    /// Nobody will have it.
    case stray

    /// No row: the user is unknown. A word that came after the server had changed knows no generation of before, and
    /// closes them all. Indexes users_pkey, credentials_pkey, jobs_tenant_id_user_id_key.
    static func of(_ name: OwnedName) -> SQL {
        """
        select case
            when owner.generation < \(name.generation) then
                case when owner.wanted = 'live' then 'ahead'
                     when greatest(owner.received_at, owner.held_at)
                          > (select changed_at from dialtone.incarnation) then 'overtaken'
                     else 'stray' end
            when exists (select 1 from dialtone.credentials credential
                         where credential.tenant_id = owner.tenant_id and credential.user_id = owner.user_id
                           and credential.generation = \(name.generation)) then 'second'
            when exists (select 1 from dialtone.jobs job
                         where job.tenant_id = owner.tenant_id and job.user_id = owner.user_id
                           and job.generation = \(name.generation)) then 'evidence'
            when owner.wanted = 'gone' or owner.generation > \(name.generation) then 'closed'
            else 'orphan' end
        from dialtone.users owner where owner.tenant_id = \(name.user.tenant) and owner.user_id = \(name.user.user)
        """
    }

    /// As what a credential is written down that is remembered as surplus. An orphan is surplus when it has expired.
    var finding: FindingKind {
        switch self {
        case .second: .second
        case .closed, .overtaken: .closed
        case .orphan: .expired
        case .evidence, .ahead: .adopted
        case .stray: .stray
        }
    }

    static func read(_ row: PostgresRow) throws -> Verdict {
        var columns = row.columns
        return try columns.next()
    }
}

extension Sweep {
    func verdict(_ name: OwnedName) async throws -> Verdict {
        try await self.pool.query(Verdict.of(name)).first.map(Verdict.read) ?? .stray
    }
}
