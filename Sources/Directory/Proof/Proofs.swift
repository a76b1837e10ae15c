// SPDX-License-Identifier: Apache-2.0
// Reads what the ledger can prove about one user.

import Foundation
package import Model
import Postgres
import Queue

package struct Proofs: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns the ledger's proof; nil when there is no such user. One round trip.
    package func ledger(_ user: UserKey, as reader: Reader) async throws -> Proof? {
        let rows = try await self.reads.rows(
            as: reader,
            [
                Self.user(user), Self.credentials(of: user), Self.surplus(of: user), Self.tries(of: user),
            ])
        guard let row = rows[0].first else { return nil }
        var columns = row.columns
        let (wanted, status): (String, String) = (try columns.next(), try columns.next())
        let generation: Generation = try columns.next()
        let isDoubtful: Bool = try columns.next()
        let (isFollowed, isFollowedElsewhere): (Bool, Bool) = (try columns.next(), try columns.next())
        let now: Date = try columns.next()
        var open = Proof.Open(
            isWanted: wanted == Wanted.live.rawValue, active: 0, closing: 0, surplus: 0, isMissing: false,
            isExpired: false, isDoubtful: isDoubtful || isFollowedElsewhere, isWaiting: status == "pending")
        var (history, owned) = (Proof.History(), Proof.Owned?.none)
        history.isFollowed = isFollowed
        for row in rows[1] { try Self.add(row, &open, &history, &owned, now) }
        if let (found, deleted) = try rows[2].first?.decode(Int64.self, Int64.self) {
            history.extraFound = Int(found)
            history.extraDeleted = Int(deleted)
            open.surplus = Int(found - deleted)
        }
        if let (creates, lost, looks) = try rows[3].first?.decode(Int32.self, Int32.self, Int32.self) {
            history.creates += Int(creates)
            history.answersLost += Int(lost)
            history.looks += Int(looks)
        }
        return Proof(
            tenant: user.tenant.rawValue, userID: user.user.rawValue, verdict: open.verdict, observedAt: now,
            wanted: wanted, generation: generation, ledger: owned, history: history, provider: nil)
    }

    /// The user, and what is open. A job may keep its doubt while it waits or is dead. A create that is followed is of
    /// the generation that is shown, whose name the provider is asked for, or of another one.
    ///
    /// Indexes users_pkey, jobs_tenant_id_user_id_key, credentials_pkey and doubts_pkey.
    private static func user(_ user: UserKey) -> SQL {
        """
        select owner.wanted, owner.status, owner.generation,
               coalesce((select state in ('armed', 'in_doubt', 'looking') or in_doubt or must_look from dialtone.jobs
                         where tenant_id = \(user.tenant) and user_id = \(user.user)), false),
               exists (select 1 from dialtone.doubts where tenant_id = \(user.tenant) and user_id = \(user.user)),
               exists (select 1 from dialtone.doubts
                       where tenant_id = \(user.tenant) and user_id = \(user.user)
                         and generation <> coalesce(serving.generation, owner.generation)),
               clock_timestamp()
        from (select * from dialtone.users
              where users.tenant_id = \(user.tenant) and users.user_id = \(user.user) offset 0) owner
        left join lateral (
            select max(one.generation) as generation
            from (select * from dialtone.credentials
                  where credentials.tenant_id = \(user.tenant) and credentials.user_id = \(user.user) offset 0) one
            where one.status = 'active') serving on true
        """
    }

    /// Indexes credentials_pkey and tenant_tags_tag_key.
    private static func credentials(of user: UserKey) -> SQL {
        """
        select one.generation, one.provider_id, one.name, one.tag, one.status, one.created_at, one.expires_at,
               one.missing_since, one.close_after, one.creates, one.answers_lost, one.looks, place.listed_at
        from (select * from dialtone.credentials
              where credentials.tenant_id = \(user.tenant) and credentials.user_id = \(user.user) offset 0) one
        left join lateral (
            select listed_at from dialtone.tenant_tags where tenant_tags.tag = one.tag offset 0) place on true
        order by one.generation
        """
    }

    /// What was tried for a generation that has no credential yet. Indexes users_pkey, credentials_pkey and
    /// job_log_user, by partition.
    private static func tries(of user: UserKey) -> SQL {
        """
        select \(LoggedTries.counts)
        from (select generation from dialtone.users
              where users.tenant_id = \(user.tenant) and users.user_id = \(user.user) offset 0) wanted
        cross join lateral (
            select from_state, to_state, error_code, http_status from dialtone.job_log
            where job_log.tenant_id = \(user.tenant) and job_log.user_id = \(user.user)
              and job_log.generation = wanted.generation offset 0) line
        where not exists (
            select 1 from dialtone.credentials
            where credentials.tenant_id = \(user.tenant) and credentials.user_id = \(user.user)
              and credentials.generation = wanted.generation offset 0)
        """
    }

    /// Index surplus_user.
    private static func surplus(of user: UserKey) -> SQL {
        """
        select count(*), count(deleted_at) from dialtone.surplus
        where tenant_id = \(user.tenant) and user_id = \(user.user)
        """
    }

    private static func add(
        _ row: PostgresRow, _ open: inout Proof.Open, _ history: inout Proof.History, _ owned: inout Proof.Owned?,
        _ now: Date
    ) throws {
        var columns = row.columns
        let generation: Generation = try columns.next()
        let (id, name, tag): (String, String, String) = (
            try columns.next(), try columns.next(), try columns.next()
        )
        let status: CredentialStatus = try columns.next()
        let createdAt: Date = try columns.next()
        let expiresAt: Date? = try columns.next()
        let missingSince: Date? = try columns.next()
        let closeAfter: Date? = try columns.next()
        history.generations += 1
        history.creates += Int(try columns.next(Int32.self))
        history.answersLost += Int(try columns.next(Int32.self))
        history.looks += Int(try columns.next(Int32.self))
        let seenAt: Date? = try columns.next()
        switch status {
        case .active:
            // A later generation's credential serves before an older one that is still active.
            open.active = 1
            open.isMissing = missingSince != nil
            open.isExpired = expiresAt.map { $0 <= now } ?? false
            owned = Proof.Owned(
                credentialID: id, generation: generation, name: name, tag: tag, activeSince: createdAt,
                expiresAt: expiresAt, missingSince: missingSince, seenAt: seenAt)
        case .closing: if closeAfter.map({ $0 <= now }) ?? true { open.closing += 1 }
        case .deleted: break
        }
    }
}
