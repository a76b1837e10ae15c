// SPDX-License-Identifier: Apache-2.0
// The statements behind the lists of users: a page of any filter costs a page, however many users there are.
//
// All of them run as the tenant, so row-level security holds for each table that they read.

import Model
import Postgres

/// A page is read in two steps. `candidates` are user ids in the list's order, from the smallest side that the filter
/// allows, and a bounded number of them. Then each is looked up by its key until the page is full, and the rest of the
/// filter decides. Where few pass, a page comes out short, and the next one goes on after the last candidate.
enum UserSelect {
    /// How many candidates a page looks at.
    static let window = 2000
    /// How many a count looks at.
    private static let countWindow = 12_000

    /// Up to `limit` users after `place`. Each row holds the page's end too: how many candidates there were, and the
    /// last of them. Without a user the row has nulls.
    static func page(_ list: UserList, _ keys: UserKeys, after place: UserPlace?, limit: Int) -> SQL {
        let window = list.filter.isEmpty ? limit : Self.window
        let candidates = UserCandidates.select(list, keys, after: place, limit: window)
        let isNewest = list.order == .newest
        let order: SQL = isNewest ? "candidate.received_at desc, candidate.user_id desc" : "candidate.user_id"
        let fromTheEnd: SQL = isNewest ? "received_at, user_id" : "user_id desc"
        return """
            with tail as (
                select count(*) as number, (array_agg(user_id order by \(fromTheEnd)))[1] as user_id,
                       (array_agg(\(Self.microseconds("received_at")) order by \(fromTheEnd)))[1] as received_us
                from (\(candidates)) candidate)
            select tail.number, tail.user_id, tail.received_us, hit.*
            from tail left join lateral (
                select \(Self.columns)
                from (\(candidates)) candidate cross join lateral (
                    select * from dialtone.users
                    where users.tenant_id = \(list.tenant) and users.user_id = candidate.user_id limit 1) owner
                \(Self.serving)
                where \(Self.passes(list.filter, keys, of: list.tenant))
                order by \(order) limit \(limit)) hit on true
            order by \(isNewest ? "hit.owner_received_us desc, hit.owner_id desc" : "hit.owner_id")
            """
    }

    /// Counts those that pass, up to 10,001. The second number says whether all were looked at.
    static func count(_ list: UserList, _ keys: UserKeys) -> SQL {
        var list = list
        // A time is counted along the time line.
        if list.filter.receivedAfter != nil || list.filter.receivedBefore != nil { list.order = .newest }
        // Nobody needs a look where all pass.
        if list.filter.isEmpty {
            let candidates = UserCandidates.select(list, keys, after: nil, limit: UserCount.most + 1)
            return """
                select count(*), count(*) <= \(UserCount.most) from (\(candidates)) candidate
                """
        }
        let candidates = UserCandidates.select(list, keys, after: nil, limit: Self.countWindow)
        return """
            select (select count(*) from (
                        select 1 from (\(candidates)) candidate cross join lateral (
                            select * from dialtone.users
                            where users.tenant_id = \(list.tenant) and users.user_id = candidate.user_id limit 1) owner
                        where \(Self.passes(list.filter, keys, of: list.tenant)) limit \(UserCount.most + 1)) passed),
                   (select count(*) from (\(candidates)) candidate) < \(Self.countWindow)
            """
    }

    static func one(_ user: UserKey) -> SQL {
        """
        select \(Self.columns) from dialtone.users owner \(Self.serving)
        where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)
        """
    }

    // MARK: The rest of the filter

    /// What is left to decide of row `owner`.
    private static func passes(_ filter: UserFilter, _ keys: UserKeys, of tenant: TenantID) -> SQL {
        var parts: SQL = "true"
        if !filter.status.isEmpty { parts = "\(parts) and owner.status = any(\(filter.status.map(\.rawValue)))" }
        if let time = filter.receivedAfter { parts = "\(parts) and owner.received_at >= \(time)" }
        if let time = filter.receivedBefore { parts = "\(parts) and owner.received_at < \(time)" }
        if let id = filter.id { parts = "\(parts) and owner.user_id = \(id)" }
        if let prefix = filter.prefix { parts = "\(parts) and starts_with(owner.user_id, \(prefix))" }
        if let source = filter.source {
            parts = """
                \(parts) and owner.told_by = (
                    select source_id from dialtone.sources
                    where coalesce(tenant_id, '-') = \(tenant) and slug = \(source) and status <> 'deleted')
                """
        }
        if let tag = filter.tag { parts = "\(parts) and \(Self.hasCredential("tag = \(tag)"))" }
        if let username = keys.username {
            parts = "\(parts) and \(Self.hasCredential("username_index = \(username)"))"
        }
        if let email = keys.email {
            parts = """
                \(parts) and \(email) = (
                    select email_index from dialtone.person_names names
                    where names.tenant_id = owner.tenant_id and names.user_id = owner.user_id offset 0)
                """
        }
        return parts
    }

    /// Whether the user has a credential that is not deleted and is as said. Index credentials_pkey.
    private static func hasCredential(_ condition: SQL) -> SQL {
        """
        exists (select 1 from (
                    select * from dialtone.credentials
                    where credentials.tenant_id = owner.tenant_id and credentials.user_id = owner.user_id offset 0) one
                where one.status <> 'deleted' and one.\(condition))
        """
    }

    // MARK: What is shown

    private static func microseconds(_ time: SQL) -> SQL {
        "coalesce((extract(epoch from \(time)) * 1000000)::bigint, 0)"
    }

    /// What `Users.entry` reads. A source's name is entered by sources_slug, a person's by person_names_pkey.
    private static let columns: SQL = """
        owner.tenant_id, owner.user_id as owner_id, owner.status,
        coalesce(serving.generation, owner.generation) as shown_generation,
        owner.received_at, owner.ready_at, serving.provider_id, serving.tag, serving.sealed_username,
        \(Self.microseconds("owner.received_at")) as owner_received_us,
        (select names.sealed from dialtone.person_names names
         where names.tenant_id = owner.tenant_id and names.user_id = owner.user_id) as sealed_name
        """

    /// The credential that serves: the newest active one, or else one that is being closed.
    ///
    /// Enters credentials by their primary key. The inner subquery knows no status and cannot be pulled up, so no plan
    /// can use a partial index.
    private static let serving: SQL = """
        left join lateral (
            select credential.generation, credential.provider_id, credential.tag, credential.sealed_username
            from (
                select * from dialtone.credentials
                where credentials.tenant_id = owner.tenant_id and credentials.user_id = owner.user_id offset 0
            ) credential
            where (credential.status = 'active' or credential.status = 'closing' and owner.wanted = 'gone')
            -- 'active' sorts before 'closing'.
            order by credential.status, credential.generation desc limit 1) serving on true
        """
}
