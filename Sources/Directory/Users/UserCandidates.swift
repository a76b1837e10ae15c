// SPDX-License-Identifier: Apache-2.0
// Which users a list looks at, in its order: each form of the list enters one index.

import Foundation
import Model
import Postgres

enum UserCandidates {
    /// Ids in the list's order. Each form enters one index in that order, and cannot be pulled up (`limit`). So no plan
    /// begins elsewhere, whatever the planner knew when it planned, and a page reads as far as it needs.
    static func select(_ list: UserList, _ keys: UserKeys, after place: UserPlace?, limit: Int) -> SQL {
        let (filter, tenant) = (list.filter, list.tenant)
        let isOfJobs = !filter.status.isEmpty && filter.status.isSubset(of: [.failed, .pending, .revoking])
        if list.order == .newest {
            return isOfJobs
                ? Self.newestWithJobs(list, after: place, limit: limit)
                : Self.newest(list, after: place, limit: limit)
        }
        let after = place?.user.rawValue ?? ""
        if let exact = Self.exact(filter, keys, of: tenant, after: after, limit: limit) { return exact }
        if isOfJobs {
            return Self.withJobs(tenant, filter.status, after: after, limit: limit)
        }
        return """
            select user_id, null::timestamptz as received_at from dialtone.users
            where tenant_id = \(tenant) and user_id > \(after)\(Self.range(of: filter.prefix))
            order by user_id limit \(limit)
            """
    }

    /// Those of an exact value, of whom there are few.
    private static func exact(
        _ filter: UserFilter, _ keys: UserKeys, of tenant: TenantID, after: String, limit: Int
    ) -> SQL? {
        if let id = filter.id {
            // Index users_pkey.
            return """
                select user_id, null::timestamptz as received_at from dialtone.users
                where tenant_id = \(tenant) and user_id = \(id) and user_id > \(after) limit \(limit)
                """
        }
        if let username = keys.username {
            // Index credentials_username.
            return """
                select user_id, null::timestamptz as received_at from dialtone.credentials
                where tenant_id = \(tenant) and username_index = \(username) and \(ListIndex.usernames)
                  and status <> 'deleted' and user_id > \(after)
                group by user_id order by user_id limit \(limit)
                """
        }
        if let email = keys.email {
            // Index person_names_email.
            return """
                select user_id, null::timestamptz as received_at from dialtone.person_names
                where tenant_id = \(tenant) and email_index = \(email) and user_id > \(after)
                order by user_id limit \(limit)
                """
        }
        if let tag = filter.tag {
            // Index credentials_tag: a tag holds a thousand at most. Without the fence a plan walks the tenant's
            // credentials in the list's order, in the hope that the first of them have the tag.
            return """
                select user_id, null::timestamptz as received_at
                from (select user_id from dialtone.credentials
                      where tag = \(tag) and status <> 'deleted' and tenant_id = \(tenant) offset 0) tagged
                where user_id > \(after) group by user_id order by user_id limit \(limit)
                """
        }
        return nil
    }

    /// Nearly all users are ready. Those who are not have a row in `jobs`, which holds few: one that has died for each
    /// user who failed, and another for each who waits. It is not always dead, because it may delete an older credential
    /// meanwhile. No index may name `users.status`.
    ///
    /// Indexes jobs_dead_user and jobs_tenant_id_user_id_key.
    private static func withJobs(
        _ tenant: TenantID, _ status: Set<UserStatus>, after: String, limit: Int
    ) -> SQL {
        """
        select user_id, null::timestamptz as received_at from dialtone.jobs
        where tenant_id = \(tenant) and user_id > \(after) \(Self.state(of: status)) order by user_id limit \(limit)
        """
    }

    private static func state(of status: Set<UserStatus>) -> SQL {
        status == [.failed] ? "and deaths is not null" : status.contains(.failed) ? "" : "and state <> 'dead'"
    }

    /// The newest of those who have a job. Where there are more than ten thousand jobs, as in an import, the users are
    /// gone through instead, and the rest of the filter decides. The first half has no row then, and the second none
    /// otherwise. Indexes as above, users_pkey and users_received.
    private static func newestWithJobs(_ list: UserList, after place: UserPlace?, limit: Int) -> SQL {
        """
        with few as materialized (
            select user_id from dialtone.jobs
            where tenant_id = \(list.tenant) \(Self.state(of: list.filter.status)) order by user_id
            limit \(Self.mostJobs + 1))
        (select few.user_id, signed.received_at
         from few cross join lateral (
             select users.received_at from dialtone.users
             where users.tenant_id = \(list.tenant) and users.user_id = few.user_id limit 1) signed
         where (select count(*) from few) <= \(Self.mostJobs)
           and (signed.received_at, few.user_id)
               < (timestamptz 'epoch' + \(Self.start(list, place)) * interval '1 microsecond',
                  \(Self.startUser(list, place)))
         order by signed.received_at desc, few.user_id desc limit \(limit))
        union all
        (select * from (\(Self.newest(list, after: place, limit: limit))) walked
         where (select count(*) from few) > \(Self.mostJobs))
        """
    }

    static let mostJobs = 10_000

    /// Where a walk from the newest on begins, in microseconds since 1970. It begins at the newest that may pass.
    private static func start(_ list: UserList, _ place: UserPlace?) -> Int64 {
        // The year 2255.
        let latest: Int64 = 9_000_000_000_000_000
        let before = list.filter.receivedBefore.map { Int64(($0.timeIntervalSince1970 * 1_000_000).rounded()) }
        return min(place?.received ?? latest, before ?? latest)
    }

    /// The user at which it begins: that of the place, where the place decides.
    private static func startUser(_ list: UserList, _ place: UserPlace?) -> String {
        place.map { $0.received == Self.start(list, place) ? $0.user.rawValue : "" } ?? ""
    }

    /// Index users_received, from its end. Each bound stands there only when it is set, so that it bounds the index.
    private static func newest(_ list: UserList, after place: UserPlace?, limit: Int) -> SQL {
        let (from, user) = (Self.start(list, place), Self.startUser(list, place))
        let end: SQL = list.filter.receivedAfter.map { "and received_at >= \($0)" } ?? ""
        return """
            select user_id, received_at from dialtone.users
            where tenant_id = \(list.tenant) and \(ListIndex.usersReceived)
              and (received_at, user_id) < (timestamptz 'epoch' + \(from) * interval '1 microsecond', \(user)) \(end)
            order by received_at desc, user_id desc limit \(limit)
            """
    }

    /// Ids that begin with the prefix lie between it and the next text of its length.
    private static func range(of prefix: String?) -> SQL {
        guard let prefix, !prefix.isEmpty else { return "" }
        return " and user_id >= \(prefix) and user_id < \(prefix + "\u{10FFFF}")"
    }
}
