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

-- A rate is kept by slices of time now, and not by the time when the next call is due.
alter table dialtone.provider_limits drop column next_due;
alter table dialtone.provider_limits drop column recovery_next_due;
-- The pause of creates, looks and deletes has the name of all three.
update dialtone.provider_limits set scope = 'kind:jobs' where scope = 'kind:creates';

-- The rate that the provider's headers tell, where none is set, and until when it is believed. It stands in the row of a
-- kind: 'kind:tokens', 'kind:jobs' for creates and deletes, or 'kind:sweep' for looks and the sweep.
alter table dialtone.provider_limits add column learned_rate float8 check (learned_rate > 0);
alter table dialtone.provider_limits add column learned_until timestamptz;
-- The limit that the headers name. Kinds that are told the same one share a budget. Null: a 429 came without headers, and
-- the rate grows by 5 % each 10 s.
alter table dialtone.provider_limits add column learned_limit integer;

-- A row is a slice of time of one scope: how many calls it holds, and what each kind has asked for and got. The kinds are
-- tokens, creates, looks, deletes and sweep. A slice has a row of its own, so that a snapshot that is held for long keeps
-- the old versions of one slice only. It is not logged: after a crash the budget begins anew.
create unlogged table dialtone.provider_budget (
    scope    text        not null,
    slice    bigint      not null,               -- its number since 1970, at the slice's length
    cap      integer     not null,               -- the rate's calls, less what was overdrawn before; it may be negative
    granted  integer[]   not null default '{0,0,0,0,0}',
    asked    integer[]   not null default '{0,0,0,0,0}',
    ends_at  timestamptz not null,               -- a minute later it lapses
    primary key (scope, slice)
) with (fillfactor = 50);
grant select, insert, update, delete on dialtone.provider_budget to dialtone_service;

-- Takes calls of each kind out of the present slice. `want` is how many of each kind, `got` how many of them may be made.
-- `slice` is the slice they are taken from, and `lasts` its rest. `moment` is the time; tests say another one.
--
-- A slice lasts about as long as five calls at this rate, between 0.1 s and 10 s. The length is one of seven, so that a
-- rate that changes a little stays in its slice. Tokens get what is left, and may overdraw half a slice, which the slices
-- after it repay. Another kind gets what is left and not kept for others, and at least its own share while that is left.
-- Kept for a higher kind is what it asked for in the last slice, for a lower one as much but its share at most, for
-- tokens at least one.
create function dialtone.take_calls(
    scope text, rate float8, want integer[], moment timestamptz default clock_timestamp(),
    out got integer[], out slice bigint, out lasts interval)
    language plpgsql set search_path = pg_catalog as $$
declare
    -- In hundredths of the calls. The offsets let no two kinds have their turn at the same call.
    shares constant integer[] := '{0,30,20,10,2}';
    offsets constant integer[] := '{0,0,2,5,49}';
    length constant float8 := case when rate >= 50 then 0.1 when rate >= 25 then 0.2 when rate >= 10 then 0.5
                                   when rate >= 5 then 1 when rate >= 2.5 then 2 when rate >= 1 then 5 else 10 end;
    span constant interval := greatest(60, least(600, 2 / rate)) * interval '1 second';
    -- How many calls the rate has given since 1970: before this slice, and with it.
    before_this bigint;
    with_this bigint;
    this dialtone.provider_budget;
    last dialtone.provider_budget;
    spent integer[];
    wanted integer[] := '{0,0,0,0,0}';
    own integer[] := '{0,0,0,0,0}';
    calls integer;
    room integer;
    kept integer;
begin
    slice := floor(extract(epoch from moment)::float8 / length);
    lasts := greatest(0, (slice + 1) * length - extract(epoch from moment)::float8) * interval '1 second';
    before_this := floor(slice * rate * length + 0.01);  -- the hundredth bears what float8 rounds off
    with_this := floor((slice + 1) * rate * length + 0.01);
    insert into dialtone.provider_budget (scope, slice, cap, ends_at)
    values (take_calls.scope, take_calls.slice, with_this - before_this, moment + lasts)
    on conflict do nothing;
    -- The lock of the slice's row, found by the primary key, orders the nodes.
    select budget.* into this from dialtone.provider_budget budget
    where budget.scope = take_calls.scope and budget.slice = take_calls.slice for no key update;
    select budget.* into last from dialtone.provider_budget budget
    where budget.scope = take_calls.scope and budget.slice < take_calls.slice and budget.ends_at > moment - span
    order by budget.slice desc limit 1;

    calls := with_this - before_this;
    if last.slice is not null then
        -- What was overdrawn, unless slices that nobody asked for have repaid it.
        calls := calls - greatest(0, (select sum(one) from unnest(last.granted) one) - last.cap
                                 - (before_this - floor((last.slice + 1) * rate * length + 0.01)));
    end if;
    if last.slice is distinct from slice - 1 then last.asked := '{0,0,0,0,0}'; end if;
    spent := this.granted;
    room := calls - (select sum(one) from unnest(spent) one);
    got := '{0,0,0,0,0}';
    got[1] := greatest(0, least(want[1], room + greatest(1, ceil((with_this - before_this) / 2.0)::integer)));
    for kind in 2..5 loop
        own[kind] := (with_this + offsets[kind]) * shares[kind] / 100
                     - (before_this + offsets[kind]) * shares[kind] / 100;
    end loop;
    for kind in 1..5 loop
        if kind > 1 then
            kept := 0;
            for other in 1..5 loop
                continue when other = kind;
                kept := kept + greatest(0, case when other = 1 then greatest(1, last.asked[1])
                                                when other < kind then last.asked[other]
                                                else least(last.asked[other], own[other]) end - spent[other]);
            end loop;
            got[kind] := greatest(0, least(want[kind], room, greatest(own[kind] - spent[kind], room - kept)));
        end if;
        room := room - got[kind];
        spent[kind] := spent[kind] + got[kind];
        -- Nobody is believed to need more than a whole slice.
        wanted[kind] := this.asked[kind] + least(want[kind], greatest(1, with_this - before_this));
    end loop;
    update dialtone.provider_budget budget set cap = calls, granted = spent, asked = wanted
    where budget.scope = take_calls.scope and budget.slice = take_calls.slice;
end
$$;
revoke execute on function dialtone.take_calls from public;
grant execute on function dialtone.take_calls to dialtone_service;
