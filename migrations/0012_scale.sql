-- Why: exactly one at a million users. Each tag has its own due time and trust, doubt is followed by name, a job that is
-- given up stays in its table, and all nodes share one budget of calls.
-- Lock: ACCESS EXCLUSIVE on the tables it changes, for changes of the catalogue. Stop the workers before you run it.
-- Backwards compatible: no. A worker of the version before does not know these tables.

set local lock_timeout = '2s';

-- ── Jobs: a job that was given up stays, and doubt is followed ─────────────────────────────────────────────────────

-- 'dead'  given up: its user is 'failed'. It is tried again at run_at, and looks first.
alter table dialtone.jobs drop constraint jobs_state_check;
alter table dialtone.jobs add constraint jobs_state_check
    check (state in ('queued', 'armed', 'scheduled', 'in_doubt', 'looking', 'dead')) not valid;
alter table dialtone.jobs validate constraint jobs_state_check;

-- The wanted generation looks first, whatever the job is about now: a credential under its name may exist.
alter table dialtone.jobs add column must_look boolean not null default false;
-- How often the generation was given up. Null: never.
alter table dialtone.jobs add column deaths integer;
-- Why it was given up last, and the provider's words to it. Null: it was not.
alter table dialtone.jobs add column reason text;
alter table dialtone.jobs add column words text;
-- The stopped scope that the job waits for (provider_limits.scope); run_at is infinity then. Null: none.
alter table dialtone.jobs add column waits_for text;

-- Housekeeping tries dead jobs again.
create index jobs_dead on dialtone.jobs (run_at) where state = 'dead';
-- Jobs of a scope are let go when it is stopped no more.
create index jobs_waiting on dialtone.jobs (waits_for, id) where waits_for is not null;

-- A row is a generation whose create was in doubt. Its name is looked up until a day has passed, also after its job has
-- ended, because the create may still land.
create table dialtone.doubts (
    tenant_id   text collate "C" not null,
    user_id     text collate "C" not null,
    generation  integer     not null,
    tag         text collate "C",                -- the tag of the create; null: not known
    doubted_at  timestamptz not null default clock_timestamp(),  -- when it was in doubt last
    due_at      timestamptz not null,            -- when its name is to be looked up next
    primary key (tenant_id, user_id, generation) -- a job that falls into doubt finds its row by it
);
-- The follower takes the names that are due.
create index doubts_due on dialtone.doubts (due_at);

grant select, insert, update, delete on dialtone.doubts to dialtone_service;

-- ── The server: an era, and trust by tag ───────────────────────────────────────────────────────────────────────────

-- The era of the ledger: a random number, drawn anew with each change of the server.
alter table dialtone.incarnation add column era bigint not null default (random() * 9e18)::bigint;
-- Whether commits may have been lost with the change that began this era.
alter table dialtone.incarnation add column has_lost boolean not null default false;
-- The database's oid, and the file of this table: a dump that is loaded into the running server changes nothing else.
alter table dialtone.incarnation add column database_oid bigint;
alter table dialtone.incarnation add column filenode bigint;

-- The era in which all tags of the tenant were seen. While it is not the ledger's, a create looks first.
alter table dialtone.tenants add column seen_era bigint;

-- ── Tags: each has its own due time ────────────────────────────────────────────────────────────────────────────────

alter table dialtone.tenant_tags add column due_at timestamptz not null default clock_timestamp();  -- next visit
alter table dialtone.tenant_tags add column listed_at timestamptz;   -- when the last whole list began; null: never
-- When a credential or a slot of the tag changed last. No index names it, so that the update stays HOT.
alter table dialtone.tenant_tags add column changed_at timestamptz;
alter table dialtone.tenant_tags add column seen_era bigint;         -- the era in which it was seen; null: not yet
alter table dialtone.tenant_tags add column others integer not null default 0;     -- credentials there, not the ledger's
alter table dialtone.tenant_tags add column miscounts integer not null default 0;  -- lists in a row that explain no total
alter table dialtone.tenant_tags add column failures integer not null default 0;   -- visits in a row that failed
-- What a visit would have taken away and did not: more than a hundredth of the tag. An operator decides. Null: nothing.
alter table dialtone.tenant_tags add column would_change integer;
-- Visits take the tags that are due.
create index tenant_tags_due on dialtone.tenant_tags (due_at);

-- One row: the slow walk over all pages of the account.
create table dialtone.account_walk (
    only_row    boolean     primary key default true check (only_row),
    page        integer     not null default 1,  -- the page that is next
    pages       integer,                         -- how many there were at the last look; null: not known
    started_at  timestamptz,                     -- when this round began; null: none has
    due_at      timestamptz not null default clock_timestamp()
);
insert into dialtone.account_walk default values;
grant select, insert, update, delete on dialtone.account_walk to dialtone_service;

-- ── Surplus: strays are surplus of nobody ──────────────────────────────────────────────────────────────────────────

alter table dialtone.surplus alter column tenant_id drop not null;
alter table dialtone.surplus alter column user_id drop not null;
alter table dialtone.surplus alter column generation drop not null;
alter table dialtone.surplus add column due_at timestamptz not null default clock_timestamp();
alter table dialtone.surplus add column doomed_at timestamptz;       -- an operator ordered the delete of a stray
alter table dialtone.surplus add column walked_at timestamptz;       -- when its owner was last searched for among all users
create index surplus_due on dialtone.surplus (due_at) where deleted_at is null;
-- A job whose name an open stray bears looks first.
create index surplus_strays on dialtone.surplus (name) where user_id is null and deleted_at is null;

-- ── Limits: one budget, learned or set ─────────────────────────────────────────────────────────────────────────────

-- The rate that the provider's headers tell, where none is set, and until when it is believed.
alter table dialtone.provider_limits add column learned_rate float8 check (learned_rate > 0);
alter table dialtone.provider_limits add column learned_until timestamptz;

-- A row is a slice of time of one scope: how many calls it holds, and what each kind has asked for and got. The kinds are
-- tokens, creates, looks, deletes and sweep. It is not logged: after a crash the budget begins anew.
create unlogged table dialtone.provider_budget (
    scope    text        not null,
    slice    bigint      not null,               -- its number since 1970, at the slice's length
    cap      integer     not null,
    granted  integer[]   not null default '{0,0,0,0,0}',
    asked    integer[]   not null default '{0,0,0,0,0}',
    primary key (scope, slice)
) with (fillfactor = 50);
grant select, insert, update, delete on dialtone.provider_budget to dialtone_service;

-- ── Credentials: those that are missed, and those that end ─────────────────────────────────────────────────────────

-- Workers ask for missing credentials once more, in the order in which they were missed.
create index credentials_missing on dialtone.credentials (missing_since, provider_id)
    where status = 'active' and missing_since is not null;
-- Housekeeping replaces credentials before their end.
create index credentials_expiring on dialtone.credentials (expires_at)
    where status = 'active' and expires_at is not null;
-- How long the tenant's credentials are to live. Null: as long as the provider lets them.
alter table dialtone.tenants add column credential_life interval check (credential_life >= interval '1 day');
