-- Why: the heart of the story: what was said (events), what is wanted (users), what is to be done (jobs).
-- Lock: none that matters, everything here is new. Backwards compatible: yes.

-- Insert-only ledger of deliveries. For senders without timestamps it is the only replay guard,
-- so rows are kept as long as their user.
create table dialtone.events (
    event_id     uuid        not null,
    source_id    uuid        not null,
    delivery_id  text collate "C" not null check (octet_length(delivery_id) between 1 and 255),
    item         integer     not null default 0 check (item >= 0),
    tenant_id    text collate "C" not null,
    user_id      text collate "C" check (octet_length(user_id) between 1 and 255),
    wanted       text        check (wanted in ('live', 'gone')),
    outcome      text        not null
                 check (outcome in ('accepted', 'duplicate', 'superseded', 'ignored', 'quarantined')),
    occurred_at  timestamptz,
    received_at  timestamptz not null,
    primary key (event_id),
    unique (source_id, delivery_id, item)
);

-- The desired state. generation is the one wanted (or, when gone, the last one there was).
-- No foreign key to tenants: intake knows its tenant from the source, and the check would lock one tenants row
-- from every commit of that tenant.
create table dialtone.users (
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null check (octet_length(user_id) between 1 and 255),
    wanted       text        not null check (wanted in ('live', 'gone')),
    generation   integer     not null default 1 check (generation > 0),
    status       text        not null check (status in ('pending', 'ready', 'failed', 'revoking', 'revoked')),
    occurred_at  timestamptz,
    received_at  timestamptz not null,
    ready_at     timestamptz,
    primary key (tenant_id, user_id)
) with (fillfactor = 80);

-- The wake-up that brings one user from the actual to the wanted state; at most one per user,
-- deleted when that state is reached. Hot and narrow.
create table dialtone.jobs (
    vt           bigint      not null,
    epoch        bigint      not null default 0,
    run_at       timestamptz not null,
    lease_until  timestamptz,
    quiet_until  timestamptz,
    enqueued_at  timestamptz not null,
    id           uuid        primary key,
    worker       uuid,
    generation   integer     not null,
    attempts     integer     not null default 0,
    crashes      integer     not null default 0,
    empties      integer     not null default 0,
    in_doubt     boolean     not null default false,
    state        text        not null default 'queued'
                 check (state in ('queued', 'armed', 'scheduled', 'in_doubt', 'looking')),
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null,
    name         text collate "C",
    tag          text collate "C",
    unique (tenant_id, user_id),
    check ((state in ('armed', 'looking')) = (worker is not null and lease_until is not null)),
    check (not (state = 'queued' and in_doubt))
) with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);

-- Each state has an index of its own, so that a claim never walks past jobs it may not take.
create index jobs_queued    on dialtone.jobs (vt, id)      where state = 'queued';
create index jobs_scheduled on dialtone.jobs (run_at)      where state = 'scheduled';
create index jobs_in_doubt  on dialtone.jobs (run_at)      where state = 'in_doubt';
create index jobs_leased    on dialtone.jobs (lease_until) where state in ('armed', 'looking');

-- Jobs that ended without reaching the wanted state; their users are 'failed'.
create table dialtone.dead_jobs (
    id              uuid        primary key,
    tenant_id       text collate "C" not null,
    user_id         text collate "C" not null,
    generation      integer     not null,
    reason          text        not null,
    provider_words  text,
    maybe_created   boolean     not null,
    epoch           bigint      not null,
    attempts        integer     not null,
    name            text collate "C",
    tag             text collate "C",
    died_at         timestamptz not null default now()
);

create index dead_jobs_user on dialtone.dead_jobs (tenant_id, user_id);

-- Every transition of every job: the life of a user, and what an operator reads first.
create table dialtone.job_log (
    at                   timestamptz not null default clock_timestamp(),
    job_id               uuid        not null,
    tenant_id            text collate "C" not null,
    user_id              text collate "C" not null,
    generation           integer     not null,
    from_state           text        not null,
    to_state             text        not null,
    epoch                bigint      not null,
    worker               uuid,
    http_status          integer,
    provider_request_id  text,
    error_code           text
) partition by range (at);

create index job_log_user on dialtone.job_log (tenant_id, user_id, at);
create table dialtone.job_log_default partition of dialtone.job_log default;

-- Makes the partitions of today and the two days after; workers call it at start and every hour.
-- Security definer: the service may add partitions of this one table and change nothing else.
create function dialtone.ensure_job_log_partitions() returns void
    language plpgsql security definer set search_path = pg_catalog as $$
declare
    day date;
    part text;
begin
    perform pg_advisory_xact_lock(hashtext('dialtone.job_log'));
    for offset_days in 0..2 loop
        day := (now() at time zone 'UTC')::date + offset_days;
        part := 'job_log_' || to_char(day, 'YYYYMMDD');
        if to_regclass('dialtone.' || part) is null
           and not exists (select 1 from dialtone.job_log_default
                           where at >= day::timestamp at time zone 'UTC'
                             and at < (day + 1)::timestamp at time zone 'UTC') then
            execute format(
                'create table dialtone.%I partition of dialtone.job_log for values from (%L) to (%L)',
                part, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        end if;
    end loop;
end
$$;

grant select, insert, update, delete on dialtone.events, dialtone.users, dialtone.jobs, dialtone.dead_jobs
    to dialtone_service;
grant select, insert on dialtone.job_log to dialtone_service;
grant execute on function dialtone.ensure_job_log_partitions() to dialtone_service;
revoke execute on function dialtone.ensure_job_log_partitions() from public;
