// SPDX-License-Identifier: Apache-2.0
// A name in doubt: its create may still land long after its job has ended, so it is looked up again and again.

import Model
import Postgres

/// A row of `doubts` that a follower has taken.
struct TakenDoubt: Sendable, Hashable {
    var user: UserKey
    var generation: Generation
    /// The tag of the create; nil: not known.
    var tag: String?

    /// Takes the names that are due, at most `limit`, and returns them.
    ///
    /// The taker pushes `due_at` two minutes ahead and sets it anew when the name was looked up. So a crash costs two
    /// minutes. Two followers of one name do no harm. Index doubts_due; a locked row does not move, so it is found again
    /// by its place (`ctid`).
    static func take(limit: Int) -> SQL {
        """
        with due as materialized (
            select ctid as place from dialtone.doubts where due_at <= statement_timestamp()
            order by due_at limit \(limit) for no key update skip locked)
        update dialtone.doubts set due_at = clock_timestamp() + interval '2 minutes'
        where ctid = any(array(select place from due))
        returning tenant_id, user_id, generation, tag
        """
    }

    static func read(_ row: PostgresRow) throws -> TakenDoubt {
        var columns = row.columns
        let user = UserKey(tenant: try columns.next(), user: try columns.next())
        return TakenDoubt(user: user, generation: try columns.next(), tag: try columns.next())
    }

    /// Says when the names are due again, after an answer of the provider: five minutes later in the first hour, then at
    /// an age of 2, 4, 8, 16 and 24 hours. After that they are forgotten. Index doubts_pkey.
    ///
    /// A name that fell into doubt again meanwhile is young again, because its age is read here.
    static func answered(_ doubts: [TakenDoubt]) -> [SQL] {
        [
            """
            delete from dialtone.doubts
            where doubted_at <= clock_timestamp() - interval '24 hours'
              and ctid = any(array(\(Self.places(of: doubts))))
            """,
            """
            update dialtone.doubts
            set due_at = case when doubted_at > clock_timestamp() - interval '1 hour'
                              then clock_timestamp() + interval '5 minutes'
                              else (select min(doubted_at + hours * interval '1 hour')
                                    from unnest(array[2, 4, 8, 16, 24]) as hours
                                    where doubted_at + hours * interval '1 hour' > clock_timestamp()) end
            where doubted_at > clock_timestamp() - interval '24 hours'
              and ctid = any(array(\(Self.places(of: doubts))))
            """,
        ]
    }

    /// Says that the provider has not answered: the names are due again in a minute.
    static func unanswered(_ doubts: [TakenDoubt]) -> SQL {
        """
        update dialtone.doubts set due_at = clock_timestamp() + interval '1 minute'
        where ctid = any(array(\(Self.places(of: doubts))))
        """
    }

    /// Finds and locks the rows, in the key's order. A lateral that locks keeps to the primary key.
    private static func places(of doubts: [TakenDoubt]) -> SQL {
        """
        select locked.place
        from (select * from unnest(\(doubts.map(\.user.tenant)), \(doubts.map(\.user.user)), \(doubts.map(\.generation)))
                  as t (tenant_id, user_id, generation)
              order by tenant_id collate "C", user_id collate "C", generation) key
        cross join lateral (
            select doubts.ctid as place from dialtone.doubts
            where doubts.tenant_id = key.tenant_id and doubts.user_id = key.user_id
              and doubts.generation = key.generation
            for no key update) locked
        """
    }
}
