-- Why: a sweep's progress is kept by tenant, so that one tenant's trouble is its own; and a tenant's open shard is found at the end of an index, whatever stands before it: while an old snapshot is open,
-- vacuum removes none of the versions that the shards before it have left. And a tag that the provider calls full below our
-- own count stays full.
-- Lock: ACCESS EXCLUSIVE on tenant_tags, a small table, which is rewritten row by row. Backwards compatible: no; workers of
-- the version before must be stopped.

-- opened: the order in which a tenant's shards were opened; the one opened last is open. Null: found by the sweep, not opened.
-- room: how many the provider let it hold when it refused one more; null while it has not.
alter table dialtone.tenant_tags
    add column opened  integer,
    add column room    integer check (room > 0);

update dialtone.tenant_tags t
set opened = case when is_open then (select max(shard) + 1 from dialtone.tenant_tags m where m.tenant_id = t.tenant_id)
             else shard end;

drop index dialtone.tenant_tags_open;

alter table dialtone.tenant_tags
    drop column is_open,
    alter column opened set default 0;

create unique index tenant_tags_opened on dialtone.tenant_tags (tenant_id, opened);

-- When the last sweep began that saw every tag of this tenant, and under which start of the server one has since that may be
-- trusted: by identity, for the clocks of two servers may differ.
alter table dialtone.tenants
    add column swept_at     timestamptz,
    add column swept_under  bigint;

-- Marked before it is deleted by an operator's word, so that no job adopts it meanwhile.
alter table dialtone.strays add column doomed_at timestamptz;
