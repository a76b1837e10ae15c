-- Why: a second wall between tenants, below the code. A statement that forgets its `where` still sees one tenant only.
-- Lock: ACCESS EXCLUSIVE on tables that are new or empty.
-- Backwards compatible: yes.
--
-- A request made for a tenant runs in a transaction of its own as dialtone_tenant (`set local role`). For that
-- transaction dialtone.tenant is set to the tenant (`set_config(…, true)`). The role can only read, and only the tables
-- named here. Where the setting is missing or '', no row is visible, because '' is no tenant.
--
-- The program itself runs as dialtone_service, which sees all rows by a policy of its own. No role bypasses the
-- policies: `force` binds the owner too. The owner may read all rows, so that `pg_dump --role=dialtone_owner` needs no
-- superuser. It has no policy to change one (migrations/README.md).
--
-- job_log's partitions have no policies and no grants: they can only be reached through job_log.

alter table dialtone.tenants     enable row level security, force row level security;
alter table dialtone.sources     enable row level security, force row level security;
alter table dialtone.events      enable row level security, force row level security;
alter table dialtone.users       enable row level security, force row level security;
alter table dialtone.jobs        enable row level security, force row level security;
alter table dialtone.dead_jobs   enable row level security, force row level security;
alter table dialtone.job_log     enable row level security, force row level security;
alter table dialtone.credentials enable row level security, force row level security;

create policy service on dialtone.tenants     to dialtone_service using (true) with check (true);
create policy service on dialtone.sources     to dialtone_service using (true) with check (true);
create policy service on dialtone.events      to dialtone_service using (true) with check (true);
create policy service on dialtone.users       to dialtone_service using (true) with check (true);
create policy service on dialtone.jobs        to dialtone_service using (true) with check (true);
create policy service on dialtone.dead_jobs   to dialtone_service using (true) with check (true);
create policy service on dialtone.job_log     to dialtone_service using (true) with check (true);
create policy service on dialtone.credentials to dialtone_service using (true) with check (true);

create policy backup on dialtone.tenants     for select to dialtone_owner using (true);
create policy backup on dialtone.sources     for select to dialtone_owner using (true);
create policy backup on dialtone.events      for select to dialtone_owner using (true);
create policy backup on dialtone.users       for select to dialtone_owner using (true);
create policy backup on dialtone.jobs        for select to dialtone_owner using (true);
create policy backup on dialtone.dead_jobs   for select to dialtone_owner using (true);
create policy backup on dialtone.job_log     for select to dialtone_owner using (true);
create policy backup on dialtone.credentials for select to dialtone_owner using (true);

-- The setting is read in a subquery: PostgreSQL then reads it once per statement and can enter an index by it.
create policy tenant on dialtone.tenants     for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.sources     for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.events      for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.users       for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.jobs        for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.dead_jobs   for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.job_log     for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
create policy tenant on dialtone.credentials for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));

grant select on
    dialtone.tenants, dialtone.sources, dialtone.events, dialtone.users, dialtone.jobs, dialtone.dead_jobs,
    dialtone.job_log, dialtone.credentials
    to dialtone_tenant;
