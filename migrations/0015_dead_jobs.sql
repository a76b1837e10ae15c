-- Why: a job that is given up stays in its table, so its doubt stays with it. A create that was in doubt is followed by
-- its name for a day, also after its job has ended.
-- Lock: ACCESS EXCLUSIVE on jobs and dead_jobs, for changes of the catalogue and while dead_jobs is read. Stop the
-- workers before you run it.
-- Backwards compatible: no. A worker of the version before reads tables and columns that are gone.

set local lock_timeout = '2s';

-- 'dead'  given up: its user is 'failed'. It is tried again at run_at, and looks first.
alter table dialtone.jobs drop constraint jobs_state_check;
alter table dialtone.jobs add constraint jobs_state_check
    check (state in ('queued', 'armed', 'scheduled', 'in_doubt', 'looking', 'dead')) not valid;
alter table dialtone.jobs validate constraint jobs_state_check;

-- The wanted generation looks first, whatever the job is about now: a credential under its name may exist. Until then
-- the job's doubt and quiet time are that generation's too.
alter table dialtone.jobs add column must_look boolean not null default false;
-- How often the generation was given up; each time doubles the pause before the next try. Null: never.
alter table dialtone.jobs add column deaths integer;
-- Why it was given up last ('rejected', 'too_many_attempts' or 'crashed_too_often'), and the provider's words to it.
-- Null: it was not.
alter table dialtone.jobs add column reason text;
alter table dialtone.jobs add column words text;

-- Absence is one thorough look after quiet_until, so empty looks are not counted.
alter table dialtone.jobs drop column empties;

-- Housekeeping tries dead jobs again.
create index jobs_dead on dialtone.jobs (run_at) where state = 'dead';
-- Pages of users who have failed, beside an import that waits. Such a user's job is not always dead: it may delete an
-- older credential meanwhile.
create index jobs_dead_user on dialtone.jobs (tenant_id, user_id) where deaths is not null;

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

-- What dead_jobs knows goes into jobs and doubts. The owner may change no row there (README.md).
set local role dialtone_service;

-- A user who has failed and has no job gets a dead one, from the newest row. It is due when the sweep would have tried
-- it again. The slot of a create that provably was not made is given back already.
insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, in_doubt, quiet_until,
                           epoch, attempts, tag, deaths, reason, words)
select newest.id, newest.tenant_id, newest.user_id, newest.generation,
       (extract(epoch from clock_timestamp()) * 1000000)::bigint,
       newest.died_at + power(2, least(newest.deaths - 1, 5))
           * case when newest.reason = 'rejected' then interval '1 day' else interval '1 hour' end,
       newest.died_at, 'dead', newest.maybe_created, newest.quiet_until, newest.epoch, newest.attempts,
       case when newest.maybe_created then newest.tag end, newest.deaths, newest.reason, newest.provider_words
from (select distinct on (tenant_id, user_id) dead_jobs.*,
             (count(*) over (partition by tenant_id, user_id, generation))::int as deaths
      from dialtone.dead_jobs where reason <> 'seen_by_sweep'
      order by tenant_id, user_id, died_at desc) newest
join dialtone.users on users.tenant_id = newest.tenant_id and users.user_id = newest.user_id
where users.status = 'failed' and users.wanted = 'live' and users.generation = newest.generation
on conflict do nothing;

-- A create that may have landed is looked for now.
insert into dialtone.doubts (tenant_id, user_id, generation, tag, doubted_at, due_at)
select distinct on (tenant_id, user_id, generation)
       tenant_id, user_id, generation, tag, died_at, clock_timestamp()
from dialtone.dead_jobs where maybe_created
order by tenant_id, user_id, generation, died_at desc;

-- The wanted generation has such a row while another generation has the job: it looks first when its turn comes.
update dialtone.jobs set must_look = true
from dialtone.dead_jobs, dialtone.users
where dead_jobs.tenant_id = jobs.tenant_id and dead_jobs.user_id = jobs.user_id
  and users.tenant_id = jobs.tenant_id and users.user_id = jobs.user_id
  and dead_jobs.generation = users.generation and jobs.generation <> users.generation;

set local role dialtone_owner;
drop table dialtone.dead_jobs;
