-- Why: event → job. What is to be done (jobs), what was given up (dead_jobs), and what was done (job_log).
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.

-- A row is a job: the wake-up that brings one user from the actual to the wanted state. A user has at most one job.
-- It is deleted when that state is reached, so the table is as small as the work that is left. docs/exactly-once.md
-- draws the states:
--
--   queued     waits for a claim; no create can be out, so its worker may create at once
--   armed      claimed; its worker may send a create, or delete an older credential
--   scheduled  waits until run_at; then queued again, or in_doubt if a create was ever in doubt
--   in_doubt   waits for a look at the provider, from run_at on
--   looking    claimed for a look
--
-- The order of the columns packs the row: 8-byte columns first, then 16-byte, 4-byte and 1-byte ones, then texts. No
-- column needs padding, and a row is rewritten at every change of its state.
create table dialtone.jobs (
    -- Place in the queue, in microseconds since 1970: the clock, or one step behind the tenant's last place,
    -- whichever is later. A tenant that imports many users lines up behind itself and not in front of others. Claims
    -- go by it.
    place        bigint      not null,
    epoch        bigint      not null default 0, -- grows with every claim, rearm and rescue; fences off old workers
    run_at       timestamptz not null,           -- scheduled, in_doubt: not before; an event moves it to now
    lease_until  timestamptz,                    -- when another may take the job from its worker; null: nobody holds it
    -- A look that finds nothing proves absence only after this moment: lease end + HTTP deadline + a margin for the
    -- provider. Null: nothing is in doubt, or the time is not known and begins with the next look.
    quiet_until  timestamptz,
    enqueued_at  timestamptz not null,           -- arrival of the event, by the node's clock; else of the job
    overlap      interval,                       -- rotation: how long the old credential serves on; null: not
    id           uuid        primary key,        -- random; finish and move find the job by it
    worker       uuid,                           -- the worker that holds the job; null: none
    generation   integer     not null,           -- which credential of the user the job is about now
    attempts     integer     not null default 0, -- tries that failed and count; at the limit the job is given up
    crashes      integer     not null default 0, -- how often its worker vanished; at the limit the job is given up
    failures     integer     not null default 0, -- calls that failed in a row; they only make the pauses longer
    empties      integer     not null default 0, -- looks in a row that found nothing
    in_doubt     boolean     not null default false,  -- a create may have landed; never taken back for a generation
    is_awaited   boolean     not null default false,  -- an event came while a worker held the job: due at once after it
    state        text        not null default 'queued'
                 check (state in ('queued', 'armed', 'scheduled', 'in_doubt', 'looking')),
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null,
    tag          text collate "C",               -- the tag whose slot the job holds (tenant_tags); null: none taken
    unique (tenant_id, user_id),                 -- enqueue's conflict, pages of users who wait, all that starts from a user
    -- In a worker's hands means: a worker and a lease. A rescue that forgot either would fail here.
    check ((state in ('armed', 'looking')) = (worker is not null and lease_until is not null)),
    -- A job that was ever in doubt looks before it creates.
    check (not (state = 'queued' and in_doubt))
) with (
    -- Each state has an index, so a change of state is never HOT; room on the page still keeps the new version near.
    fillfactor = 70,
    -- Dead rows are cleared by number, whatever the table's size, and without pauses: claims read past each of them.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);

-- Each state has an index of its own, so that a claim never reads jobs that it may not take.
-- Claim of new work, from a start that the worker remembers (QueueStart).
create index jobs_queued    on dialtone.jobs (place, id)   where state = 'queued';
-- Housekeeping's promote, and `limit set`, which lets the waiting jobs of a connection go.
create index jobs_scheduled on dialtone.jobs (run_at)      where state = 'scheduled';
-- Claim of jobs to look at.
create index jobs_in_doubt  on dialtone.jobs (run_at)      where state = 'in_doubt';
-- Rescue of leases that ran out, and of jobs whose worker is gone.
create index jobs_leased    on dialtone.jobs (lease_until) where state in ('armed', 'looking');
-- The sweep counts the slots of one tag that jobs hold.
create index jobs_tag       on dialtone.jobs (tag)         where tag is not null;

-- A row is a job that was given up; its user is 'failed'. Or it is the sweep's note 'seen_by_sweep': a credential
-- under the name of that generation exists, while the user's job is about another generation. Either way the next job
-- of that generation looks first.
create table dialtone.dead_jobs (
    id              uuid        primary key,     -- the job's id; of a note, a random one
    tenant_id       text collate "C" not null,
    user_id         text collate "C" not null,
    generation      integer     not null,
    -- 'rejected', 'too_many_attempts', 'crashed_too_often' or 'seen_by_sweep'. The sweep tries the first three again.
    reason          text        not null,
    provider_words  text,                        -- what the provider said to the last create; null: nothing
    maybe_created   boolean     not null,        -- a create may have landed; the next job begins with this doubt
    quiet_until     timestamptz,                 -- as in jobs; doubt outlives the job, so the next job waits as long
    epoch           bigint      not null,        -- the job's last epoch
    attempts        integer     not null,        -- … and its attempts
    name            text collate "C",            -- the credential's name at the provider; null: a note
    tag             text collate "C",            -- the tag whose slot the job held; null: none
    died_at         timestamptz not null default now()
);

-- Enqueue and next goal (doubt of an earlier job of the generation), the sweep, which counts a user's deaths, and pages
-- of failed users.
create index dead_jobs_user on dialtone.dead_jobs (tenant_id, user_id);

-- A row is one transition of one job: the timeline of a user, and what an operator reads first. Rows are only inserted.
create table dialtone.job_log (
    at                   timestamptz not null default clock_timestamp(),
    job_id               uuid        not null,   -- jobs.id; no foreign key, because the log outlives the job
    tenant_id            text collate "C" not null,
    user_id              text collate "C" not null,
    generation           integer     not null,
    from_state           text        not null,   -- a state of jobs
    to_state             text        not null,   -- a state of jobs, or the end: 'owned', 'ended', 'dead'
    epoch                bigint      not null,
    worker               uuid,                   -- null: no worker's call led to it (promote, rescue, sweep, operator)
    http_status          integer,                -- of the provider's response; null: there was no response
    provider_request_id  text,                   -- the provider's id of the call, for its support; null: it gave none
    error_code           text,                   -- the provider's code or ours; null: no error
    -- Milliseconds: how long the provider's call took, and how long it waited before for a permit and for its turn.
    -- Null: there was no call, or it was not measured.
    call_ms              integer,
    waited_ms            integer
) partition by range (at);

-- `user show` and the API's timeline: a user's transitions, newest first.
create index job_log_user on dialtone.job_log (tenant_id, user_id, at);

-- One partition per day (UTC). Rows of a day without a partition go into the default one, so no insert ever fails.
-- Old partitions are dropped (0013).
create table dialtone.job_log_default partition of dialtone.job_log default;

-- Makes the partitions of today and of the two days after; workers call it at start and every hour. Security definer:
-- the service may add partitions of this one table and change nothing else. A day that already has rows in the
-- default partition gets none, because PostgreSQL would refuse it. The lock lets two nodes come one after the other.
-- A new partition locks the whole table, and every finish of a job waits behind that lock. A long reader, such as a
-- dump, may hold it up, so it waits 100 ms at most and is tried again in the next hour, for days ahead.
create function dialtone.ensure_job_log_partitions() returns void
    language plpgsql security definer set search_path = pg_catalog set lock_timeout = '100ms' as $$
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

grant select, insert, update, delete on dialtone.jobs, dialtone.dead_jobs to dialtone_service;
grant select, insert on dialtone.job_log to dialtone_service;
revoke execute on function dialtone.ensure_job_log_partitions() from public;
grant execute on function dialtone.ensure_job_log_partitions() to dialtone_service;
