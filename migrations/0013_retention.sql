-- Why: what is kept has an end. Old days of the log and events that need no guard go. A closed credential keeps no
-- secret. A person can be erased, and no name of theirs is ever made again.
-- Lock: ACCESS EXCLUSIVE on sources and tenants, for changes of the catalogue. SHARE on events, credentials and surplus
-- while an index of each is built: each is read once, about a second for a million rows. Their writes wait meanwhile.
-- Backwards compatible: no. Nodes of the version before begin a new user with generation 1, also where a person was
-- erased. Stop them before the first `dialtone user erase`.

set local lock_timeout = '2s';

-- ── The log ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- As before (0004), but a day is made as a table of its own and then attached. That locks `job_log` against changes of
-- the catalogue alone, so neither claims nor finishes wait for it. The default partition is locked against all, and
-- nobody writes it while the days are there. A long reader of the log holds it up, so it waits 100 ms at most and is
-- tried again in the next hour, for days ahead.
create or replace function dialtone.ensure_job_log_partitions() returns void
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
            execute format('create table dialtone.%I (like dialtone.job_log including defaults)', part);
            execute format(
                'alter table dialtone.job_log attach partition dialtone.%I for values from (%L) to (%L)',
                part, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        end if;
    end loop;
end
$$;

-- Drops the days of the log that ended more than so many days ago, ten at most. Returns how many. Security definer: the
-- service may drop days of this one table, by their names, and nothing else. A drop locks the whole table, and every
-- claim waits behind that lock. So it waits 100 ms at most behind a reader and is tried again in the next hour.
create function dialtone.drop_job_log_partitions(days integer) returns integer
    language plpgsql security definer set search_path = pg_catalog set lock_timeout = '100ms' as $$
declare
    oldest text := to_char((now() at time zone 'UTC')::date - greatest(days, 1), 'YYYYMMDD');
    part text;
    dropped integer := 0;
begin
    perform pg_advisory_xact_lock(hashtext('dialtone.job_log'));
    for part in
        select child.relname::text
        from pg_inherits
        join pg_class child on child.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = 'dialtone.job_log'::regclass
          and child.relname::text ~ '^job_log_[0-9]{8}$' and right(child.relname::text, 8) < oldest
        order by child.relname limit 10
    loop
        execute format('drop table dialtone.%I', part);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;

-- Deletes rows of the default partition that are older than so many days, a page at most. Returns how many. It is empty
-- but for days that could not be made. Security definer, because nobody has rights on a partition.
create function dialtone.forget_job_log_default(days integer, page integer) returns integer
    language plpgsql security definer set search_path = pg_catalog as $$
declare
    gone integer;
begin
    delete from dialtone.job_log_default where ctid = any(array(
        select line.ctid from dialtone.job_log_default line
        where line.at < now() - make_interval(days => greatest(days, 1)) limit page for update skip locked));
    get diagnostics gone = row_count;
    return gone;
end
$$;

revoke execute on function dialtone.drop_job_log_partitions(integer) from public;
revoke execute on function dialtone.forget_job_log_default(integer, integer) from public;
grant execute on function dialtone.drop_job_log_partitions(integer) to dialtone_service;
grant execute on function dialtone.forget_job_log_default(integer, integer) to dialtone_service;
-- `user erase` takes one user's transitions out of the log.
grant delete on dialtone.job_log to dialtone_service;

-- ── Events ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Every proof of the source signs a time, which is refused when it is old. Such a delivery cannot be replayed, so its
-- events need not be kept as a guard. False: not known, or a proof signs no time. Written with the source's proofs.
alter table dialtone.sources add column signs_time boolean not null default false;

-- The presets whose own proofs sign one. A source with proofs of its own is known at its next update.
set local role dialtone_service;
update dialtone.sources set signs_time = true
where preset in ('standard', 'svix', 'clerk', 'cognito', 'stytch', 'stytch-consumer', 'supabase-hook', 'workos')
  and (config is null or config->'proofs' is null);
set local role dialtone_owner;

-- Housekeeping walks the events that may go, the oldest first. An event that was accepted costs nothing here.
create index events_old on dialtone.events (received_at, event_id)
    where outcome in ('duplicate', 'superseded', 'ignored') and occurred_at is not null;

-- ── Credentials ────────────────────────────────────────────────────────────────────────────────────────────────────

-- Housekeeping overwrites what is sealed of credentials that are no more.
create index credentials_sealed on dialtone.credentials (deleted_at)
    where status = 'deleted' and sealed_password <> '';
-- Housekeeping forgets surplus that was deleted long ago.
create index surplus_deleted on dialtone.surplus (deleted_at) where deleted_at is not null;
-- `user erase` looks for surplus of one user.
create index surplus_user on dialtone.surplus (tenant_id, user_id);

-- ── Erased people ──────────────────────────────────────────────────────────────────────────────────────────────────

-- The generation with which a user who is new to the tenant begins. It is above each generation of every person who was
-- erased there. So a name at the provider is never made again, and no row needs to remember who was erased.
alter table dialtone.tenants add column first_generation integer not null default 1 check (first_generation > 0);

-- Returns it; 1 for a tenant that is not there. It is volatile, so it reads what was committed up to its own call, and
-- not up to the beginning of the statement that calls it: that statement may have waited for an erasure.
create function dialtone.first_generation(tenant text) returns integer
    language plpgsql volatile as $$
begin
    return coalesce((select tenants.first_generation from dialtone.tenants
                     where tenants.tenant_id = tenant collate "C"), 1);
end
$$;
revoke execute on function dialtone.first_generation(text) from public;
grant execute on function dialtone.first_generation(text) to dialtone_service;
