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
