-- Why: what recovery needs to know: which server the ledger trusts, which workers live, what is to be deleted and when,
-- and what the sweep has found.
-- Lock: ACCESS EXCLUSIVE on the altered tables while their new columns are added (no rewrite), SHARE on credentials while
-- its two indexes are built. Backwards compatible: yes.

-- close_after: a closing credential is deleted at the provider no sooner (null: at once); it may serve until then.
-- missing_since: first 404 of a credential that should be there; a second, later, makes it vanished.
alter table dialtone.credentials
    add column close_after   timestamptz,
    add column missing_since timestamptz;

create index credentials_tag     on dialtone.credentials (tag)         where status <> 'deleted';
create index credentials_closing on dialtone.credentials (close_after) where status = 'closing';

-- failures: calls that failed in a row; they make the pauses longer, and are not charged as attempts.
-- overlap: how long the old credential may still serve when this job's rotation is done.
alter table dialtone.jobs
    add column failures integer not null default 0,
    add column overlap  interval;

-- Doubt outlives the job: whoever revives it must wait as long.
alter table dialtone.dead_jobs add column quiet_until timestamptz;

alter table dialtone.surplus
    add column claimed_until timestamptz,
    add column attempts      integer not null default 0;

-- rate: calls per second for all nodes together, null for no limit; tat: when the last of them is due (the theoretical
-- arrival time of the generic cell rate algorithm). allowance: creates that whoever holds an open breaker's probe may send
-- before probe_until. rejects: different users in a row whose create was refused with the same code.
alter table dialtone.provider_limits
    drop constraint provider_limits_breaker_check,
    add constraint provider_limits_breaker_check check (breaker in ('closed', 'open', 'half_open')),
    add column rate         float8 check (rate > 0),
    add column tat          timestamptz,
    add column allowance    integer not null default 1,
    add column rejects      integer not null default 0,
    add column reject_code  text,
    add column reject_user  text;

alter table dialtone.tenant_tags
    add column swept_at    timestamptz,
    add column empty_since timestamptz;

-- The server this ledger lives on, as it was last seen. started is pg_postmaster_start_time() in microseconds: while it
-- differs from the server's, nothing is claimed. looks_first: the ledger may have lost what it knew, so every create
-- looks first and the sweep deletes nothing, until a full sweep has ended. looks_twice: … and a second time after
-- quiet_until. is_stopped: the data stands on another system; nothing is deleted until an operator says what it is.
create table dialtone.incarnation (
    only_row           boolean     primary key default true check (only_row),
    system_identifier  bigint      not null,
    timeline           bigint      not null,
    started            bigint      not null,
    changed_at         timestamptz not null default clock_timestamp(),
    change             text        not null check (change in ('first', 'restart', 'failover', 'restore')),
    looks_first        boolean     not null,
    looks_twice        boolean     not null,
    quiet_until        timestamptz,
    is_stopped         boolean     not null default false
);

-- One row per boot of a worker. Its node holds the advisory lock (1684627820, lock_key) on a connection of its own; a
-- lock that was seen held under this start of the server, and is free, means that the node is gone.
create table dialtone.workers (
    worker      uuid    primary key,
    lock_key    integer not null,
    held_under  bigint,
    free_since  timestamptz
);

-- Credentials that bear this installation's name for nobody the ledger knows. While there are any, every create looks
-- first: a replayed sign-up may be theirs.
create table dialtone.strays (
    provider_id  text collate "C" primary key,
    name         text collate "C" not null,
    tag          text collate "C" not null,
    found_at     timestamptz not null default clock_timestamp()
);

-- One sweep at a time, by a lease that anyone may take over.
create table dialtone.sweep (
    only_row     boolean     primary key default true check (only_row),
    holder       uuid,
    held_until   timestamptz,
    started_at   timestamptz,
    finished_at  timestamptz
);

insert into dialtone.sweep default values;

grant select, insert, update, delete on dialtone.incarnation, dialtone.workers, dialtone.strays, dialtone.sweep
    to dialtone_service;
grant update on dialtone.installation to dialtone_service;
