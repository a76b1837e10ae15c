-- Why: all nodes share one budget of calls to the provider, kept in slices of time. Its rate is set, or learned from
-- the provider's replies.
-- Lock: ACCESS EXCLUSIVE on provider_limits, for changes of the catalogue. It has a row for each limit. Stop the
-- workers before you run it.
-- Backwards compatible: no. A worker of the version before reads columns that are gone, and pauses under another name.

set local lock_timeout = '2s';

-- A rate is kept by slices of time now, and not by the time when the next call is due.
alter table dialtone.provider_limits drop column next_due;
alter table dialtone.provider_limits drop column recovery_next_due;
-- The pause of creates, looks and deletes has the name of all three.
update dialtone.provider_limits set scope = 'kind:jobs' where scope = 'kind:creates';

-- The rate that the provider's headers tell, where none is set, and until when it is believed. It stands in the row of
-- a kind: 'kind:tokens', 'kind:jobs' for creates and deletes, or 'kind:sweep' for looks and the sweep.
alter table dialtone.provider_limits add column learned_rate float8 check (learned_rate > 0);
alter table dialtone.provider_limits add column learned_until timestamptz;
-- The limit that the headers name. Kinds that are told the same one share a budget. Null: a 429 came without headers,
-- and the rate grows by 5 % each 10 s.
alter table dialtone.provider_limits add column learned_limit integer;

-- A row is a slice of time of one scope: how many calls it holds, and what each kind has asked for and got. The kinds
-- are tokens, creates, looks, deletes and sweep. In the scope 'sweep' they are names in doubt, visits, none, none and
-- the walk. A slice has a row of its own: a snapshot that is held for long keeps the old versions of one slice only.
-- The table is not logged. After a crash the budget begins anew.
create unlogged table dialtone.provider_budget (
    scope    text        not null,
    slice    bigint      not null,               -- its number since 1970, at the slice's length
    cap      integer     not null,               -- the rate's calls, less what was overdrawn before; it may be negative
    granted  integer[]   not null default '{0,0,0,0,0}',
    asked    integer[]   not null default '{0,0,0,0,0}',
    ends_at  timestamptz not null,               -- a minute later it lapses
    primary key (scope, slice)                   -- a request and a return find their slice by it
) with (fillfactor = 50);  -- no index has the columns that change, so room on the page keeps updates HOT
grant select, insert, update, delete on dialtone.provider_budget to dialtone_service;

-- Takes calls of each kind out of the present slice. `want` is how many of each kind, `got` how many of them may be
-- made. `slice` is the slice they are taken from, and `lasts` its rest. `moment` is the time; tests say another one.
--
-- A slice lasts about as long as five calls at this rate, between 0.1 s and 10 s. The length is one of seven, so that a
-- rate that changes a little stays in its slice.
--
-- Tokens get what is left. They may overdraw half a slice, which the slices after it repay. Another kind gets what is
-- left and not kept for others, and at least its own share while that is left. Kept for a higher kind is what it asked
-- for in the last slice. Kept for a lower one is as much, but its share at most. For tokens at least one call is kept.
-- In the scope 'sweep' none is kept for a first kind that did not ask.
create function dialtone.take_calls(
    scope text, rate float8, want integer[], moment timestamptz default clock_timestamp(),
    out got integer[], out slice bigint, out lasts interval)
    language plpgsql set search_path = pg_catalog as $$
declare
    -- In hundredths of the calls. The offsets let no two kinds have their turn at the same call.
    shares constant integer[] := '{0,30,20,10,2}';
    offsets constant integer[] := '{0,0,2,5,49}';
    least_kept constant integer := case when take_calls.scope = 'sweep' then 0 else 1 end;
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
                kept := kept + greatest(0, case when other = 1 then greatest(least_kept, last.asked[1])
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
