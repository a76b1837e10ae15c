-- Why: creates of a stopped connection or tenant wait aside. Each was claimed, refused and put back every few minutes.
-- Lock: ACCESS EXCLUSIVE on jobs, for a change of the catalogue, and one scan of jobs for the index. Jobs are the work
-- that is left, so they are few.
-- Backwards compatible: yes. A node of the version before leaves waiting jobs alone, because their time never comes.

set local lock_timeout = '2s';

-- The stopped scope that the job waits for (provider_limits.scope). The job is 'scheduled', and run_at is infinity.
-- Null: none.
alter table dialtone.jobs add column waits_for text;

-- The jobs of a scope are let go when it is stopped no more.
create index jobs_waiting on dialtone.jobs (waits_for, id) where waits_for is not null;

-- Returns whether a job of this generation would create: its user wants it, and it has no credential. It is volatile, so
-- it reads what was committed up to its own call. The statement that calls it has locked the job by then, and its own
-- sight may be older.
create function dialtone.would_create(tenant text, person text, number integer) returns boolean
    language plpgsql volatile as $$
begin
    return exists (
        select 1 from dialtone.users
        where users.tenant_id = tenant collate "C" and users.user_id = person collate "C"
          and users.wanted = 'live' and users.generation = number
          and not exists (
              select 1 from dialtone.credentials
              where credentials.tenant_id = users.tenant_id and credentials.user_id = users.user_id
                and credentials.generation = number offset 0));
end
$$;
revoke execute on function dialtone.would_create(text, text, integer) from public;
grant execute on function dialtone.would_create(text, text, integer) to dialtone_service;
