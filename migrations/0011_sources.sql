-- Why: an operator stops a source and deletes it. An operator takes an organisation out of a mapping table while
-- statements run that have read the table as it was.
-- Lock: ACCESS EXCLUSIVE on sources and source_tenants, for changes of the catalogue, one scan of sources and an index
-- on it. Sources are few.
-- Backwards compatible: yes. To a node of the version before, the hook of a disabled source is unknown. Such a node
-- goes on mapping an organisation that is leaving, so stop these nodes before you run `source map remove`.

set local lock_timeout = '2s';

-- 'active'    its deliveries are taken
-- 'disabled'  its sender is told to come again
-- 'deleted'   its hook is unknown, and its secrets and its mapping table are gone. Housekeeping deletes what it has told
--             of people. The row stays, because events name it, and because a node may believe it for some seconds.
alter table dialtone.sources drop constraint sources_status_check;
alter table dialtone.sources add constraint sources_status_check check (status in ('active', 'disabled', 'deleted'));

-- When it was last disabled or deleted. Null: it is active, or deleted and nothing is left of what it has told.
alter table dialtone.sources add column stopped_at timestamptz;

-- A slug is free again when its source is deleted. Entered by each command that names a source.
drop index dialtone.sources_slug;
create unique index sources_slug on dialtone.sources (coalesce(tenant_id, '-'), slug) where status <> 'deleted';

-- An operator is taking it out: what is said of it counts as not mapped. The row goes when no statement is left that
-- may have read it before, and no member came by such a statement. Otherwise it is in force again.
alter table dialtone.source_tenants add column is_leaving boolean not null default false;
