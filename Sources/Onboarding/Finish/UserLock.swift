// SPDX-License-Identifier: Apache-2.0
// The lock that decides who speaks for a user.

import Model
import Postgres

/// A row lock on `users`, taken in a statement of its own. What follows in the transaction has a younger snapshot, so
/// it sees all that was committed under the lock before.
enum UserLock {
    /// Index users_pkey.
    static func take(_ user: UserKey) -> SQL {
        """
        select user_id from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user) for no key update
        """
    }

    /// Locks several users in key order. Index users_pkey: a lateral that locks is never turned into a plain join.
    static func take(_ users: [UserKey]) -> SQL {
        let users = users.sorted()
        return """
            select locked.user_id
            from (select * from unnest(\(users.map(\.tenant)), \(users.map(\.user))) as t (tenant_id, user_id)
                  order by tenant_id collate "C", user_id collate "C") key
            cross join lateral (
                select users.user_id from dialtone.users
                where users.tenant_id = key.tenant_id and users.user_id = key.user_id for no key update) locked
            """
    }
}
