-- Why: the schema's own row, and who may use the schema.
-- Lock: none that matters, everything here is new. Backwards compatible: first version.
--
-- The runner has made the roles and the schema, and runs this file as dialtone_owner.
-- The random id is part of every name at the provider: a restored backup makes the same names,
-- a second installation on the same provider account makes others.

create table dialtone.installation (
    only_row    boolean     primary key default true check (only_row),
    id          uuid        not null default gen_random_uuid(),
    created_at  timestamptz not null default now()
);

insert into dialtone.installation default values;

grant usage on schema dialtone to dialtone_service, dialtone_tenant;
grant select on dialtone.installation, dialtone.schema_migrations to dialtone_service;
