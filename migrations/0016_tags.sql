-- Why: exactly one at a million users. A changed server begins an era, and trust returns tag by tag. Each tag has its
-- own due time and its own faults. Credentials that nobody is known to own stand in surplus.
-- Lock: ACCESS EXCLUSIVE on incarnation, tenants, tenant_tags and surplus, for changes of the catalogue. All rows of
-- tenants and tenant_tags are written, and surplus is read while three indexes are built. Stop the workers before you
-- run it.
-- Backwards compatible: no. A worker of the version before reads tables and columns that are gone.

set local lock_timeout = '2s';

-- ── The server: an era, and trust by tag ───────────────────────────────────────────────────────────────────────────

-- The era of the ledger: a random number, drawn anew with each change of the server. The default is for the row that is
-- there; each adoption draws its own.
alter table dialtone.incarnation add column era bigint not null default (random() * 9e18)::bigint;
alter table dialtone.incarnation alter column era drop default;
-- Whether the server has ever changed. A tenant that is made later may then be one that the ledger has forgotten, so it
-- begins unseen. It stays true for good: nobody knows which tenants those are. A mere restart counts, because the disk
-- may have been put back.
alter table dialtone.incarnation add column has_lost boolean not null default false;
-- The database's oid, and the file of this table: a dump that is loaded into the running server changes nothing else.
-- A migration that rewrites this table, and VACUUM FULL, give it another file. A worker then finds a 'reload'.
alter table dialtone.incarnation add column database_oid bigint;
alter table dialtone.incarnation add column filenode bigint;

-- 'reload'   the tables were loaded anew into the same database, as from a dump
-- 'restore'  another system or another database
alter table dialtone.incarnation drop constraint incarnation_change_check;
alter table dialtone.incarnation add constraint incarnation_change_check
    check (change in ('first', 'restart', 'reload', 'failover', 'restore', 'unknown'));

-- The era in which all tags of the tenant were seen. While it is not the ledger's, a create looks first, and absence
-- waits for incarnation.quiet_until too.
alter table dialtone.tenants add column seen_era bigint;

-- What was trusted stays trusted: the tenants that were swept under the present start, or all that were swept at all
-- when nothing was to be looked at first.
update dialtone.incarnation
set has_lost = change <> 'first',
    database_oid = (select oid::bigint from pg_database where datname = current_database()),
    filenode = pg_relation_filenode('dialtone.incarnation')::bigint,
    quiet_until = case when looks_twice then quiet_until end;
set local role dialtone_service;
update dialtone.tenants tenant set seen_era = incarnation.era from dialtone.incarnation
where tenant.swept_under = incarnation.started
   or not incarnation.looks_first and (tenant.swept_at is not null or incarnation.change = 'first');
set local role dialtone_owner;

alter table dialtone.incarnation drop column looks_first, drop column looks_twice;
alter table dialtone.tenants drop column swept_at, drop column swept_under;

-- ── Tags: each has its own due time ────────────────────────────────────────────────────────────────────────────────

-- The next visit. A tag that was just opened is left alone for a while.
alter table dialtone.tenant_tags
    add column due_at timestamptz not null default clock_timestamp() + interval '10 minutes';
alter table dialtone.tenant_tags add column listed_at timestamptz;   -- when the last whole list began; null: never
-- When a credential or a slot of the tag changed last. No index names it, so that the update stays HOT.
alter table dialtone.tenant_tags add column changed_at timestamptz;
alter table dialtone.tenant_tags add column seen_era bigint;         -- the era in which it was seen; null: not yet
-- Since when its visits have found jobs or young rows at work in it, and made no call; null: the last one did.
alter table dialtone.tenant_tags add column busy_since timestamptz;
alter table dialtone.tenant_tags add column others integer not null default 0;     -- credentials there, not the ledger's
alter table dialtone.tenant_tags add column miscounts integer not null default 0;  -- lists in a row that explain no total
alter table dialtone.tenant_tags add column failures integer not null default 0;   -- visits in a row that failed
-- What a visit would have taken away and did not: more than a hundredth of the tag. An operator decides. Null: nothing.
alter table dialtone.tenant_tags add column would_change integer;

-- The visits of tags that were swept before come one after another, as later ones do. A trusted tenant's tags are seen.
-- The first worker makes all others due.
update dialtone.tenant_tags tag
set listed_at = tag.swept_at, seen_era = tenant.seen_era,
    due_at = clock_timestamp()
             + random() * greatest(interval '1 hour', (select count(*) from dialtone.tenant_tags) * interval '10 seconds')
from dialtone.tenants tenant where tenant.tenant_id = tag.tenant_id;
alter table dialtone.tenant_tags drop column swept_at;
-- Visits take the tags that are due.
create index tenant_tags_due on dialtone.tenant_tags (due_at);
-- No sweep goes over all tags any more, so none takes a lease.
drop table dialtone.sweep;

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
-- When it is looked at next. Whoever takes it pushes this two minutes ahead.
alter table dialtone.surplus add column due_at timestamptz not null default clock_timestamp();
alter table dialtone.surplus drop column claimed_until;
alter table dialtone.surplus add column doomed_at timestamptz;       -- an operator ordered the delete of a stray
alter table dialtone.surplus add column walked_at timestamptz;       -- when its owner was last searched for among all users
-- An open stray is due for nobody: without its exclusion all strays would stand at the front of this index for good.
create index surplus_due on dialtone.surplus (due_at)
    where deleted_at is null and (user_id is not null or doomed_at is not null);
-- A job whose name an open stray bears looks first.
create index surplus_strays on dialtone.surplus (name) where user_id is null and deleted_at is null;
-- A visit counts the open surplus of its tag.
create index surplus_tag on dialtone.surplus (tag) where deleted_at is null;

insert into dialtone.surplus (provider_id, name, tag, found_at, doomed_at)
select provider_id, name, tag, found_at, doomed_at from dialtone.strays
on conflict do nothing;
drop table dialtone.strays;
