-- Why: a tenant's key lists the tenant's sources, each with its secrets by their ids and times.
-- Lock: ACCESS EXCLUSIVE on source_secrets, for changes of the catalogue.
-- Backwards compatible: yes. The service sees all rows as before.

set local lock_timeout = '2s';

alter table dialtone.source_secrets enable row level security, force row level security;

create policy service on dialtone.source_secrets to dialtone_service using (true) with check (true);
create policy backup on dialtone.source_secrets for select to dialtone_owner using (true);
-- A source of several tenants has '-', which is no tenant.
create policy tenant on dialtone.source_secrets for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));

-- What the list of sources reads: not the sealed secret, and not the place of its proof.
grant select (secret_id, source_id, tenant_id, created_at, expires_at, made_by)
    on dialtone.source_secrets to dialtone_tenant;
