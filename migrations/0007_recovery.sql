-- Why: what recovery must know: which server the ledger trusts, which workers live, what the sweep has found.
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.

-- One row, written by the first worker: the database server this ledger lives on, as it was last seen. While
-- `started` is not the server's own start, nothing is claimed; the next worker then writes what has happened
-- (Incarnation.swift).
create table dialtone.incarnation (
    only_row           boolean     primary key default true check (only_row),
    -- pg_control_system(): another after initdb, kept by a copy. Null: DIALTONE_SERVER_IDENTITY=start, so not asked.
    system_identifier  bigint,
    timeline           bigint,                   -- of the WAL: another after promotion or recovery; null: as above
    started            bigint      not null,     -- pg_postmaster_start_time() in microseconds: never twice
    changed_at         timestamptz not null default clock_timestamp(),  -- when the present server was first met
    -- 'first'     there was no row
    -- 'restart'   same system and timeline; nothing that was acknowledged is lost
    -- 'failover'  another timeline; the last commits may be lost
    -- 'restore'   another system; a restored dump, or a clone beside its original
    -- 'unknown'   another start, and nothing else is known of it
    change             text        not null check (change in ('first', 'restart', 'failover', 'restore', 'unknown')),
    -- The ledger may have forgotten something: every create looks first, and the sweep's finds are not deleted, until
    -- the tenant has been swept under this start (tenants.swept_under).
    looks_first        boolean     not null,
    looks_twice        boolean     not null,     -- … and a second time, after quiet_until; set when commits may be lost
    quiet_until        timestamptz,              -- from when nothing that was sent to the old server can still land
    is_stopped         boolean     not null default false  -- nothing is deleted until `dialtone installation confirm`
);

-- A row is a worker: one node's work under one start of the server. Its node holds the session advisory lock
-- (1684627820, lock_key) on a connection of its own. When a lock that was seen held under this start has been free for
-- two seconds, the node is gone. Its jobs are then rescued at once. A node without a direct connection has no row
-- here; its leases decide alone.
create table dialtone.workers (
    worker      uuid    primary key,             -- jobs.worker; drawn anew whenever the worker meets another server
    lock_key    integer not null,                -- random per process; the first key is "dial" in ASCII
    held_under  bigint,                          -- server start under which it was last seen held; null: never
    free_since  timestamptz                      -- since when it is seen free; null: held, or not looked at yet
);

-- A row is a credential in one of our tags that bears this installation's name and belongs to no user the ledger
-- knows. It is shown to an operator and never deleted unasked. While a tenant has any, that tenant's creates look
-- first: a replayed sign-up may be theirs. The table is nearly always empty, so the claim reads it whole.
create table dialtone.strays (
    provider_id  text collate "C" primary key,
    name         text collate "C" not null,      -- its name at the provider
    tag          text collate "C" not null,      -- the tag it was listed under; up to the first dot it is the tenant
    found_at     timestamptz not null default clock_timestamp(),  -- when a sweep last listed it
    -- An operator has ordered its delete. From then on no job may adopt it. Null: nobody has.
    doomed_at    timestamptz
);

-- One row: the lease of the sweep. One sweep runs at a time; when the lease is over, anyone may begin the next.
create table dialtone.sweep (
    only_row     boolean     primary key default true check (only_row),
    holder       uuid,                           -- who sweeps, drawn per run; null: nobody
    held_until   timestamptz,                    -- the end of the lease, extended before each call; null: nobody sweeps
    started_at   timestamptz,                    -- when the last sweep over all tenants began; null: none did
    finished_at  timestamptz                     -- when the last sweep ended; null: none has
);

-- The row is there from the start, so that taking the lease is always an update.
insert into dialtone.sweep default values;

grant select, insert, update, delete on dialtone.incarnation, dialtone.workers, dialtone.strays, dialtone.sweep
    to dialtone_service;
