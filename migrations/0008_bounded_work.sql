-- Why: bounded work for housekeeping and sweep however many users a tenant has, and a job in a worker's hands that hears of a
-- change of what is wanted.
-- Lock: SHARE on credentials and jobs while their indexes are built; ACCESS EXCLUSIVE on jobs for the new column (no rewrite).
-- Backwards compatible: yes.

-- A page at a time, by user, instead of all that are due.
drop index dialtone.credentials_closing;
create index credentials_closing on dialtone.credentials (tenant_id, user_id) where status = 'closing';

-- The sweep counts the slots of one shard that jobs hold.
create index jobs_tag on dialtone.jobs (tag) where tag is not null;

-- Something was wanted of the user while a worker had the job in its hands: it is due at once when it comes back.
alter table dialtone.jobs add column is_awaited boolean not null default false;
