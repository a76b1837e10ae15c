-- Why: who sends sign-ups for whom, with which secrets, and who may ask.
-- Lock: none that matters, everything here is new. Backwards compatible: yes.
--
-- Ids are collated "C" here and in all that follows: bytes in their order, the same on every machine. It is also what makes
-- their indexes cheap to search and safe from an upgrade of the system's locales.

create table dialtone.tenants (
    tenant_id      text collate "C" primary key check (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    connection_id  text        not null check (connection_id ~ '^[0-9]{1,32}$'),
    status         text        not null default 'active' check (status in ('active', 'suspended')),
    created_at     timestamptz not null default now()
);

-- A source is bound to one tenant, or to an explicit list of tenants: a body signed with one
-- tenant's secret can never name another.
create table dialtone.sources (
    source_id        uuid        primary key,
    tenant_id        text collate "C" references dialtone.tenants,
    allowed_tenants  text[]      not null default '{}',
    slug             text collate "C" not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    hook_id          text collate "C" not null unique,
    preset           text        not null,
    status           text        not null default 'active' check (status in ('active', 'disabled')),
    created_at       timestamptz not null default now(),
    check ((tenant_id is null) = (cardinality(allowed_tenants) > 0))
);

create unique index sources_slug on dialtone.sources (coalesce(tenant_id, '-'), slug);

-- sealed: vault format v1, table 'source_secrets', column 'sealed', row = secret_id.
create table dialtone.source_secrets (
    secret_id   uuid        primary key,
    source_id   uuid        not null references dialtone.sources on delete cascade,
    tenant_id   text collate "C" not null,
    sealed      bytea       not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz
);

create index source_secrets_source on dialtone.source_secrets (source_id);

-- Keys of the vault, wrapped by the key-encryption key. tenant_id '-' is Dialtone's own
-- (secrets of sources that serve several tenants).
create table dialtone.tenant_keys (
    key_id       uuid        primary key,
    tenant_id    text collate "C" not null,
    purpose      text        not null check (purpose in ('record', 'index')),
    version      integer     not null check (version > 0),
    state        text        not null check (state in ('active', 'decrypt', 'retired', 'destroyed')),
    kek_uri      text        not null,
    kek_version  integer     not null default 1,
    wrapped      bytea       not null,
    created_at   timestamptz not null default now(),
    unique (tenant_id, purpose, version)
);

-- One active key per tenant and purpose; also how the vault finds it.
create unique index tenant_keys_active on dialtone.tenant_keys (tenant_id, purpose) where state = 'active';

-- hash = SHA-256 of the key's random part; the key itself is shown once and never stored.
create table dialtone.api_keys (
    key_id      text collate "C" primary key,
    tenant_id   text collate "C" references dialtone.tenants,
    hash        bytea       not null check (octet_length(hash) = 32),
    scopes      text[]      not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz
);

create index api_keys_tenant on dialtone.api_keys (tenant_id);

grant select, insert, update, delete on
    dialtone.tenants, dialtone.sources, dialtone.source_secrets, dialtone.tenant_keys, dialtone.api_keys
    to dialtone_service;
