// SPDX-License-Identifier: Apache-2.0
// Erases a person: what names one user of a tenant goes out of every table, and the name is never made again.

import Foundation
package import Model
package import Postgres

/// A user without a name takes the place of the one that is erased, so that every rule on generations, credentials and
/// surplus holds as before. The new name is random: nothing leads back to the person.
///
/// Generations of the tenant's new users begin above those of the erased one (`tenants.first_generation`). The same
/// person who signs up again therefore gets names at the provider that were never made, and no row remembers the person.
package struct UserErasure: Sendable {
    private let pool: PostgresPool
    private let settle: Duration

    /// A deadlock's victim is tried again so often: intake and an operator's replay may lock the same events.
    private static let repeats = 3

    /// `settle`: how long nothing must have happened to the user.
    package init(pool: PostgresPool, settle: Duration = .seconds(60)) {
        self.pool = pool
        self.settle = settle
    }

    package struct Report: Sendable, Equatable {
        /// Events that named the person. They stay as guards against their replay, and name nobody.
        package var events: Int64 = 0
        /// Sources that still know the person, as a member of another organisation.
        package var keptInSources: Int64 = 0
    }

    /// Throws `UserActionError` when the user cannot be erased now.
    ///
    /// Cancelled here: nothing has changed.
    package func check(_ user: UserKey) async throws {
        try await self.pool.withConnection { try await self.requireRest(of: user, on: $0) }
    }

    /// Erases the user. Throws `UserActionError` when that cannot be done now.
    ///
    /// Two passes over the events: one of all, which holds no lock, and one of the newest, behind the user's lock. No
    /// index finds the events of a user, because each sign-up would pay for it.
    ///
    /// Cancelled here: events that were gone over name nobody any more, and all else is as it was. Run it again.
    package func erase(_ user: UserKey) async throws -> Report {
        let began = Date()
        var report = try await self.pool.withConnection { connection in
            try await self.requireRest(of: user, on: connection)
            return try await ErasedEvents(user: user).unname(from: nil, repeats: Self.repeats, on: connection)
        }
        // A node's clock may be behind, and a commit may take its time.
        let late = try await self.eraseLate(user, from: began.addingTimeInterval(-600))
        report.events += late.events
        report.keptInSources = late.keptInSources
        return report
    }

    private func eraseLate(_ user: UserKey, from margin: Date) async throws -> Report {
        for _ in 0..<Self.repeats {
            do {
                return try await self.eraseLateOnce(user, from: margin)
            } catch let error as PostgresError where error.isBeaten {
                continue
            }
        }
        return try await self.eraseLateOnce(user, from: margin)
    }

    /// Erases all but the older events, behind the user's lock.
    private func eraseLateOnce(_ user: UserKey, from margin: Date) async throws -> Report {
        try await self.pool.withTransaction { connection in
            _ = try await connection.query(PersonReopening.lock(user))
            _ = try await connection.query(Self.lock(user))
            // A statement of its own, so that it sees all that was committed under the lock.
            try await self.requireRest(of: user, on: connection)
            var late = try await ErasedEvents(user: user).unname(from: margin, on: connection)
            for statement in Self.unname(user, as: "erased:\(UUID().uuidString.lowercased())") {
                _ = try await connection.query(statement)
            }
            var columns = try await connection.query(Self.keptPeople(user)).first?.columns
            late.keptInSources = try columns?.next(Int64.self) ?? 0
            return late
        }
    }

    private func requireRest(of user: UserKey, on connection: PostgresConnection) async throws {
        guard let row = try await connection.query(ErasureObstacle.find(user, settle: self.settle)).first else {
            throw UserActionError.unknownUser(user)
        }
        var columns = row.columns
        guard let name = try columns.next(String?.self) else { return }
        throw UserActionError.notErasable(user, ErasureObstacle(rawValue: name) ?? .live)
    }

    /// Index users_pkey.
    private static func lock(_ user: UserKey) -> SQL {
        "select 1 from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user) for update"
    }

    // MARK: The statements behind the lock

    /// Locks the tenant, credentials, surplus, findings, actions, memberships and people of the user, and the name, in
    /// this order, behind people and user. Nobody who holds a tenant's row waits for a user.
    private static func unname(_ user: UserKey, as name: String) -> [SQL] {
        let isUsers: SQL = "tenant_id = \(user.tenant) and user_id = \(user.user)"
        return [
            Self.raiseFirstGeneration(user),
            """
            update dialtone.credentials
            set user_id = \(name), sealed_username = '', sealed_password = '',
                username_index = decode(repeat('00', 16), 'hex')
            where \(isUsers)
            """,
            // Index surplus_user.
            "update dialtone.surplus set user_id = \(name) where \(isUsers)",
            // Index findings_user.
            "delete from dialtone.findings where \(isUsers)",
            // Index actions_user.
            "delete from dialtone.actions where \(isUsers)",
        ] + Self.forgetFacts(user) + [
            Self.forgetName(user),
            // Index job_log_user, of each day.
            "delete from dialtone.job_log where \(isUsers)",
            "update dialtone.provider_limits set reject_user = null where reject_user = \(user.user)",
            // Index users_pkey.
            """
            update dialtone.users
            set user_id = \(name), received_at = clock_timestamp(), occurred_at = null, ready_at = null, held_at = null,
                told_by = null, cause_id = null, wished_by = 'erased'
            where \(isUsers)
            """,
        ]
    }

    /// Intake locks the user before it writes a name, so none comes after this. Index person_names_pkey.
    private static func forgetName(_ user: UserKey) -> SQL {
        "delete from dialtone.person_names where tenant_id = \(user.tenant) and user_id = \(user.user)"
    }

    private static func forgetFacts(_ user: UserKey) -> [SQL] {
        [
            // Index memberships_pkey, entered once for each source that makes people.
            """
            delete from dialtone.memberships
            where source_id = any(array(select source_id from dialtone.sources where is_tracked))
              and external_user = \(user.user) and tenant_id = \(user.tenant)
            """,
            // A person who is a member elsewhere stays: the facts of that user hang on it. Index people_pkey.
            """
            delete from dialtone.people
            where source_id = any(array(select source_id from dialtone.sources where is_tracked))
              and external_user = \(user.user)
              and not exists (select 1 from dialtone.memberships
                              where memberships.source_id = people.source_id
                                and memberships.external_user = people.external_user offset 0)
            """,
        ]
    }

    /// Above every generation that the user ever had. Indexes tenants_pkey, users_pkey, credentials_pkey, surplus_user.
    private static func raiseFirstGeneration(_ user: UserKey) -> SQL {
        """
        update dialtone.tenants
        set first_generation = greatest(first_generation, 1 + (
            select max(had.generation) from (
                select users.generation from dialtone.users
                where users.tenant_id = \(user.tenant) and users.user_id = \(user.user)
                union all
                select credentials.generation from dialtone.credentials
                where credentials.tenant_id = \(user.tenant) and credentials.user_id = \(user.user)
                union all
                select surplus.generation from dialtone.surplus
                where surplus.tenant_id = \(user.tenant) and surplus.user_id = \(user.user)) had))
        where tenant_id = \(user.tenant)
        """
    }

    /// How many sources still know the person. Index people_pkey.
    private static func keptPeople(_ user: UserKey) -> SQL {
        """
        select count(*) from dialtone.people
        where source_id = any(array(select source_id from dialtone.sources where is_tracked))
          and external_user = \(user.user)
        """
    }
}
