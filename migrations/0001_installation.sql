-- Why: the one row that says which installation this is, and who may enter the schema.
-- Lock: none that matters; everything here is new.
-- Backwards compatible: first version.
--
-- The runner (Sources/Schema/Roles) has created three roles, the schema and dialtone.schema_migrations. It
-- runs each file in one transaction as dialtone_owner.
--
--   dialtone_owner    owns every object; only migrations run as this role
--   dialtone_service  the program: intake, worker, sweep, handoff, commands; may become dialtone_tenant
--   dialtone_tenant   a request made for one tenant; reads that tenant's rows and no others (0008)
--
-- Each file ends with the rights that dialtone_service needs on the tables of that file.
--
-- schema_migrations has one row per applied file:
--   version     the number in the file's name
--   name        the words in the file's name
--   checksum    SHA-256 of the file; the program refuses a database whose applied file has changed since
--   applied_at  when the file was applied
--
-- Three conventions hold in all files:
--   * Times are the database's clock (timestamptz), unless a column says otherwise.
--   * A text id is collated "C": it is compared byte by byte, the same on every machine. Its indexes are cheap to
--     search, and an upgrade of the system's locales cannot corrupt them.
--   * A comment at an index names the statements that enter by it.

-- One row: this installation. `only_row` is a key that can hold one value, so there is never a second row.
create table dialtone.installation (
    only_row    boolean     primary key default true check (only_row),  -- always true
    id          uuid        not null default gen_random_uuid(),         -- random; part of every credential's name
    created_at  timestamptz not null default now()                      -- when the schema was created
);

-- A restored backup keeps the id, so it makes the same names at the provider and finds its own credentials again.
-- A second installation on the same provider account has another id and makes other names.
insert into dialtone.installation default values;

grant usage on schema dialtone to dialtone_service, dialtone_tenant;
grant select on dialtone.installation, dialtone.schema_migrations to dialtone_service;
-- `dialtone installation confirm --clone` gives a copied database an id of its own.
grant update on dialtone.installation to dialtone_service;
