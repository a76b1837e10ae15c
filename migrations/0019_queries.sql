-- Why: queries. Why a user stands where he stands, what has happened to him, and how many there are of each kind.
-- Lock: ACCESS EXCLUSIVE on sources, credentials, surplus, tenant_tags, doubts, tally, samples and quarantine,
-- for changes of the catalogue. SHARE on users, events and credentials while an index of each is built: each is read
-- once, a few seconds for a million rows. Their writes wait meanwhile.
-- Backwards compatible: yes. Nodes of the version before write none of the new columns and tables.

set local lock_timeout = '2s';

-- ── People ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A row is the name and the e-mail address of a user, where the source hands them over. Without it people know nobody
-- but by an opaque id. The row goes when the user is erased.
create table dialtone.person_names (
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null,
    -- Vault format v1, bound to table 'person_names', column 'sealed', row = user = user_id: two lines, the name and the
    -- address.
    sealed       bytea       not null,
    -- Keyed hash of the address in lower case, cut to 16 bytes; null: no address.
    email_index  bytea       check (octet_length(email_index) = 16),
    told_at      timestamptz not null,           -- arrival of the event that told it; an older one changes nothing
    primary key (tenant_id, user_id)             -- lists look each user's name up
);
-- Finds a user by the exact address.
create index person_names_email on dialtone.person_names (tenant_id, email_index, user_id)
    where email_index is not null;
-- Whether a source hands over its people's names and addresses. Off: nothing of them is read, sealed or written.
alter table dialtone.sources add column keeps_names boolean not null default false;

-- ── Credentials ────────────────────────────────────────────────────────────────────────────────────────────────────

-- When the provider made its first and its last login token. Null: none yet.
alter table dialtone.credentials add column first_token_at timestamptz, add column last_token_at timestamptz;
-- How the credential came to be. These counts outlive the log: creates that were sent for its generation or may have
-- been, those of them whose answer was lost, and looks. A credential that was made without doubt has 1, 0 and 0.
alter table dialtone.credentials
    add column creates integer not null default 1,
    add column answers_lost integer not null default 0,
    add column looks integer not null default 0;
-- Finds a user by the exact SIP username.
--
-- This index and the three of the lists below have a condition that holds for every row. A plan that is made while a table
-- is empty takes any index that begins with the tenant, for any statement on one of its users: all cost nothing then. It
-- would walk the tenant's rows later. Only statements that say the condition (`ListIndex`) can enter these indexes.
create index credentials_username on dialtone.credentials (tenant_id, username_index) where username_index > '';

-- ── Lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Users by the time of their sign-up, the newest first. It changes with a new wish only, so 'pending' to 'ready' stays
-- a HOT update.
create index users_received on dialtone.users (tenant_id, received_at, user_id) where received_at > '-infinity';
-- All that was said of one user.
create index events_user on dialtone.events (tenant_id, user_id, received_at) where user_id > '';

-- The newest events of one tenant: an id begins with the time of its arrival.
create index events_tenant on dialtone.events (tenant_id, event_id) where tenant_id <> '-';

-- What is new in the log: rows come in the order of their times, so an entry for each few pages is enough.
create index job_log_at on dialtone.job_log using brin (at) with (pages_per_range = 16, autosummarize = on);

-- ── Counts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A row counts what happened in one tenant in one minute or hour. Each node adds to it every ten seconds. A node that is
-- killed loses ten seconds of a picture, and nothing of the ledger.
create table dialtone.tenant_minutes (
    bucket       timestamptz not null,           -- when the minute or the hour begins
    accepted     integer     not null default 0, -- events, by their outcome
    duplicate    integer     not null default 0,
    superseded   integer     not null default 0,
    ignored      integer     not null default 0,
    quarantined  integer     not null default 0,
    ready        integer     not null default 0, -- users who got a credential
    failed       integer     not null default 0, -- users who were given up
    revoked      integer     not null default 0, -- users who were revoked, and have no credential any more
    minutes      smallint    not null check (minutes in (1, 60)),           -- minutes are kept for 48 hours, hours for 90 days
    tenant_id    text collate "C" not null,
    -- Users who got a credential, by the time from the event to it: up to 1, 2, 5, 10, 20, 50 … milliseconds, and the
    -- last for more than a hundred seconds.
    latency      integer[]   not null default array_fill(0, array[17]) check (cardinality(latency) = 17),
    primary key (tenant_id, minutes, bucket)
)
with (fillfactor = 85);  -- counts change in place (HOT)
-- Housekeeping adds the oldest minutes to their hours, and forgets the oldest hours.
create index tenant_minutes_age on dialtone.tenant_minutes (minutes, bucket);

-- A row is what was found to differ between the ledger and the provider, and was put right: by a visit of a tag, by a
-- look, or when a credential could not be recorded. A credential has one row of a kind, with the last time.
create table dialtone.findings (
    at           timestamptz not null default clock_timestamp(),
    generation   integer,                        -- null: no user of the ledger is known to own it
    -- 'second'   another credential of a generation that has one; it is deleted
    -- 'closed'   a credential of a generation that is closed; it is deleted
    -- 'adopted'  a credential that the ledger did not know, and its user wanted
    -- 'missing'  the provider has it no more; it is asked again
    -- 'returned' it was missing, and is there again
    -- 'gone'     the provider has it no more; the user gets another
    -- 'expired'  the provider has ended it; the user gets another, or does not want it
    -- 'absent'   it was to be deleted, and is not there; an operator has said that absence is to be believed
    -- 'reopened' the provider shows what was deleted; it is deleted again
    -- 'moved'    it stands under another tag than the ledger had
    -- 'stray'    a credential under our name whose user is not known yet; another row says whose it was, if anybody's
    kind         text        not null check (
                     kind in ('second', 'closed', 'adopted', 'missing', 'returned', 'gone', 'expired', 'absent',
                              'reopened', 'moved', 'stray')),
    tenant_id    text collate "C" not null,      -- '-': the tag names no tenant
    user_id      text collate "C",
    provider_id  text collate "C" not null,
    tag          text collate "C",
    primary key (provider_id, kind)
);
-- The newest of a tenant.
create index findings_tenant on dialtone.findings (tenant_id, at);
-- `user erase`.
create index findings_user on dialtone.findings (tenant_id, user_id) where user_id is not null;
-- Housekeeping forgets the oldest.
create index findings_age on dialtone.findings (at);

-- ── What a tenant may read ─────────────────────────────────────────────────────────────────────────────────────────

alter table dialtone.surplus        enable row level security, force row level security;
alter table dialtone.tenant_tags    enable row level security, force row level security;
alter table dialtone.doubts         enable row level security, force row level security;
alter table dialtone.tally          enable row level security, force row level security;
alter table dialtone.samples        enable row level security, force row level security;
alter table dialtone.quarantine     enable row level security, force row level security;
alter table dialtone.person_names   enable row level security, force row level security;
alter table dialtone.tenant_minutes enable row level security, force row level security;
alter table dialtone.findings       enable row level security, force row level security;
alter table dialtone.api_keys       enable row level security, force row level security;

create policy service on dialtone.surplus        to dialtone_service using (true) with check (true);
create policy service on dialtone.tenant_tags    to dialtone_service using (true) with check (true);
create policy service on dialtone.doubts         to dialtone_service using (true) with check (true);
create policy service on dialtone.tally          to dialtone_service using (true) with check (true);
create policy service on dialtone.samples        to dialtone_service using (true) with check (true);
create policy service on dialtone.quarantine     to dialtone_service using (true) with check (true);
create policy service on dialtone.person_names   to dialtone_service using (true) with check (true);
create policy service on dialtone.tenant_minutes to dialtone_service using (true) with check (true);
create policy service on dialtone.findings       to dialtone_service using (true) with check (true);
create policy service on dialtone.api_keys       to dialtone_service using (true) with check (true);

create policy backup on dialtone.surplus        for select to dialtone_owner using (true);
create policy backup on dialtone.tenant_tags    for select to dialtone_owner using (true);
create policy backup on dialtone.doubts         for select to dialtone_owner using (true);
create policy backup on dialtone.tally          for select to dialtone_owner using (true);
create policy backup on dialtone.samples        for select to dialtone_owner using (true);
create policy backup on dialtone.quarantine     for select to dialtone_owner using (true);
create policy backup on dialtone.person_names   for select to dialtone_owner using (true);
create policy backup on dialtone.tenant_minutes for select to dialtone_owner using (true);
create policy backup on dialtone.findings       for select to dialtone_owner using (true);
create policy backup on dialtone.api_keys       for select to dialtone_owner using (true);

create policy tenant on dialtone.surplus        for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.tenant_tags    for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.doubts         for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.quarantine     for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.person_names   for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.tenant_minutes for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.findings       for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.api_keys       for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
-- Of a source that speaks for one tenant alone, that tenant may know what was refused. The inner select is behind the
-- wall of `sources` itself.
create policy tenant on dialtone.tally          for select to dialtone_tenant
    using (source_id in (select source_id from dialtone.sources));
create policy tenant on dialtone.samples        for select to dialtone_tenant
    using (source_id in (select source_id from dialtone.sources));

grant select on
    dialtone.surplus, dialtone.tenant_tags, dialtone.doubts, dialtone.tally, dialtone.samples, dialtone.person_names,
    dialtone.tenant_minutes, dialtone.findings
    to dialtone_tenant;
-- Not the body, nor what a mapping has read of it.
grant select (event_id, source_id, tenant_id, arrived_at, size, reason, pointer, settled_at, settled_by)
    on dialtone.quarantine to dialtone_tenant;
-- Not a key's hash.
grant select (key_id, tenant_id, scopes, created_at, expires_at, revoked_at) on dialtone.api_keys to dialtone_tenant;
grant select, insert, update, delete on dialtone.person_names, dialtone.tenant_minutes, dialtone.findings
    to dialtone_service;

-- ── What holds a tenant's users up ─────────────────────────────────────────────────────────────────────────────────

-- Returns one row: what concerns all users of a tenant at once. It reads tables of all tenants, and shows of them only
-- what says why this tenant waits. Security definer, because a tenant may not read those tables.
create function dialtone.what_holds(tenant text)
    returns table (
        is_stopped boolean,              -- nothing is deleted until an operator has said what this database is
        changed_at timestamptz,          -- when the server changed last
        is_seen boolean,                 -- the tenant's tags were listed since
        paused_until timestamptz,        -- the provider said 429: no create before
        breaker text,                    -- the stopped scope: 'account', 'connection' or 'tenant'; null: none
        breaker_since timestamptz,
        breaker_until timestamptz,       -- when it is tried again
        breaker_reason text,
        rate double precision            -- creates a second of the narrowest scope that has a rate; null: none
    )
    language sql stable security definer set search_path = pg_catalog as $$
    with here as (
        select tenants.tenant_id, tenants.connection_id, tenants.seen_era from dialtone.tenants
        where tenants.tenant_id = tenant collate "C"),
    scopes as (
        select 'account' as scope, 1 as rank, 'account' as word
        union all select 'connection:' || here.connection_id, 2, 'connection' from here
        union all select 'tenant:' || here.tenant_id, 3, 'tenant' from here),
    limits as (
        select scopes.rank, scopes.word, one.* from scopes join dialtone.provider_limits one using (scope)),
    stopped as (select * from limits where limits.breaker <> 'closed' order by limits.rank limit 1)
    select coalesce(incarnation.is_stopped, false), incarnation.changed_at,
           coalesce(here.seen_era = incarnation.era, false),
           (select max(one.paused_until) from dialtone.provider_limits one
            where one.scope in ('kind:jobs', 'kind:creates') and one.paused_until > clock_timestamp()),
           stopped.word, stopped.opened_at, stopped.probe_until, stopped.reason,
           (select limits.rate from limits where limits.rate is not null order by limits.rank desc limit 1)
    from here left join dialtone.incarnation on true left join stopped on true
    -- To a tenant's reader another tenant is not there.
    where coalesce(nullif(current_setting('dialtone.tenant', true), ''), tenant) = tenant
$$;

-- Returns whether a worker runs. False: every node that held a lock has lost it. Null: none has one. Who is gone cannot
-- say so, so the locks are read themselves. An advisory lock with two keys has them in classid and objid, and objsubid
-- 2; "dial" in ASCII is the first. Reading pg_locks stops all who take a lock for a moment, so no list asks for each
-- of its users.
create function dialtone.has_worker() returns boolean
    language sql stable security definer set search_path = pg_catalog as $$
    select case when count(*) > 0 then bool_or(node_lock.objid is not null) end
    from dialtone.workers left join pg_locks node_lock
        on node_lock.locktype = 'advisory' and node_lock.classid::bigint = 1684627820
       and node_lock.objid::bigint = workers.lock_key and node_lock.objsubid = 2 and node_lock.granted
       and node_lock.database = (select oid from pg_database where datname = current_database())
    where workers.held_under is not null
$$;

-- Returns how many queued jobs are in front of this place, a thousand at most. It walks from the job to the front, and
-- no further than an hour: before that stand the remains of jobs that are done.
create function dialtone.rank_in_line(at_place bigint, at_id uuid) returns bigint
    language sql stable security definer set search_path = pg_catalog as $$
    select count(*) from (
        select 1 from dialtone.jobs
        where jobs.state = 'queued' and (jobs.place, jobs.id) < (at_place, at_id)
          and jobs.place > at_place - 3600000000
        order by jobs.place desc, jobs.id desc limit 1000) ahead
$$;

-- Returns the people of a tenant's own sources who wait for a membership, the newest first. Security definer, because a
-- tenant may not read what its sources know of people. Index people_waiting.
create function dialtone.who_waits(tenant text, most bigint) returns table (source_id uuid, user_id text)
    language sql stable security definer rows 100 set search_path = pg_catalog as $$
    select person.source_id, person.external_user
    from (select sources.source_id from dialtone.sources
          where sources.tenant_id = tenant collate "C" and sources.status <> 'deleted' offset 0) sender
    cross join lateral (
        select people.source_id, people.external_user, people.waits_until from dialtone.people
        where people.source_id = sender.source_id and people.waits_until > statement_timestamp()
        order by people.waits_until desc limit most) person
    where coalesce(nullif(current_setting('dialtone.tenant', true), ''), tenant) = tenant
    order by person.waits_until desc limit most
$$;

-- Returns whether a person of a tenant's own source still waits for a membership. Security definer, as above. Indexes
-- people_pkey and sources_pkey.
create function dialtone.still_waits(tenant text, source uuid, person text) returns boolean
    language sql stable security definer set search_path = pg_catalog as $$
    select exists (
        select 1 from dialtone.people join dialtone.sources sender on sender.source_id = people.source_id
        where people.source_id = source and people.external_user = person collate "C"
          and coalesce(people.waits_until > statement_timestamp(), false)  -- keeps people_waiting out
          and sender.tenant_id = tenant collate "C" and sender.status <> 'deleted'
          and coalesce(nullif(current_setting('dialtone.tenant', true), ''), tenant) = tenant)
$$;

-- Returns one row: the newest three samples of a source, outcome and reason, or two empty arrays. The operator and the
-- tenant read the same. No security definer, so the wall of `samples` stands. One statement without a setting of its
-- own, so that PostgreSQL plans it as a part of the caller's. Index samples_pkey: a source and outcome have twenty.
create function dialtone.newest_samples(source uuid, result text, cause text)
    returns table (times timestamptz[], forms text[])
    language sql stable rows 1 as $$
    select coalesce(array_agg(one.at order by one.at desc), '{}'),
           coalesce(array_agg(one.form::text order by one.at desc), '{}')
    from (select samples.at, samples.form from dialtone.samples
          where samples.source_id = source and samples.outcome = result and samples.reason = cause collate "C"
          order by samples.at desc limit 3) one
$$;

revoke execute on function dialtone.what_holds(text) from public;
revoke execute on function dialtone.has_worker() from public;
revoke execute on function dialtone.rank_in_line(bigint, uuid) from public;
revoke execute on function dialtone.who_waits(text, bigint) from public;
revoke execute on function dialtone.still_waits(text, uuid, text) from public;
revoke execute on function dialtone.newest_samples(uuid, text, text) from public;
grant execute on function dialtone.what_holds(text) to dialtone_service, dialtone_tenant;
grant execute on function dialtone.has_worker() to dialtone_service, dialtone_tenant;
grant execute on function dialtone.rank_in_line(bigint, uuid) to dialtone_service, dialtone_tenant;
grant execute on function dialtone.who_waits(text, bigint) to dialtone_service, dialtone_tenant;
grant execute on function dialtone.still_waits(text, uuid, text) to dialtone_service, dialtone_tenant;
grant execute on function dialtone.newest_samples(uuid, text, text) to dialtone_service, dialtone_tenant;
