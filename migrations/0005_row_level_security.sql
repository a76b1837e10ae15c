-- Why: tenants walled off a second time, below the code: a request made for a tenant runs as dialtone_tenant
-- with dialtone.tenant set for its transaction, and can read that tenant's rows only. '' is no tenant.
-- Lock: ACCESS EXCLUSIVE on small or new tables. Backwards compatible: yes.

alter table dialtone.tenants     enable row level security;
alter table dialtone.tenants     force  row level security;
alter table dialtone.sources     enable row level security;
alter table dialtone.sources     force  row level security;
alter table dialtone.events      enable row level security;
alter table dialtone.events      force  row level security;
alter table dialtone.users       enable row level security;
alter table dialtone.users       force  row level security;
alter table dialtone.jobs        enable row level security;
alter table dialtone.jobs        force  row level security;
alter table dialtone.dead_jobs   enable row level security;
alter table dialtone.dead_jobs   force  row level security;
alter table dialtone.job_log     enable row level security;
alter table dialtone.job_log     force  row level security;
alter table dialtone.credentials enable row level security;
alter table dialtone.credentials force  row level security;

create policy service on dialtone.tenants     to dialtone_service using (true) with check (true);
create policy service on dialtone.sources     to dialtone_service using (true) with check (true);
create policy service on dialtone.events      to dialtone_service using (true) with check (true);
create policy service on dialtone.users       to dialtone_service using (true) with check (true);
create policy service on dialtone.jobs        to dialtone_service using (true) with check (true);
create policy service on dialtone.dead_jobs   to dialtone_service using (true) with check (true);
create policy service on dialtone.job_log     to dialtone_service using (true) with check (true);
create policy service on dialtone.credentials to dialtone_service using (true) with check (true);

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
