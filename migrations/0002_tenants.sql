-- Why: tenants, the sources that send sign-ups for them, and the secrets that prove it. API keys of those who may ask.
-- The keys that seal a tenant's secrets.
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.

-- A row is a tenant: a customer organisation whose users get credentials.
create table dialtone.tenants (
    -- A slug. It has no dot, because the shards of a tenant's tag are named `acme`, `acme.2`, … (tenant_tags).
    tenant_id      text collate "C" primary key check (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- The provider's connection that this tenant's credentials belong to. Two tenants may share one.
    connection_id  text        not null check (connection_id ~ '^[0-9]{1,32}$'),
    -- 'suspended' is reserved: no statement sets it or reads it yet.
    status         text        not null default 'active' check (status in ('active', 'suspended')),
    created_at     timestamptz not null default now(),
    -- When the last sweep that saw all tags of this tenant began. Null: no sweep has seen them all.
    swept_at       timestamptz,
    -- The start of the database server (incarnation.started, microseconds) under which such a sweep counts. After a
    -- change of the server the tenant's creates look first until this is the new start. It is an identity and not a
    -- time, because the clocks of two servers may differ. Null: none counts yet.
    swept_under    bigint
);

-- A row is a source: a sender of sign-up events, with a webhook address of its own. A source is bound to one tenant,
-- to a list of tenants or to a mapping table (source_tenants, 0009). So a body signed with one tenant's secret cannot
-- name another tenant.
create table dialtone.sources (
    source_id        uuid        primary key,
    tenant_id        text collate "C" references dialtone.tenants,          -- null: it serves several tenants
    allowed_tenants  text[]      not null default '{}',                     -- what it may name, where `tenant_id` is null
    slug             text collate "C" not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),  -- its name for operators
    hook_id          text collate "C" not null unique,                      -- random part of the URL: hk_…
    preset           text        not null,                                  -- proof and body format: 'standard'
    status           text        not null default 'active' check (status in ('active', 'disabled')),
    created_at       timestamptz not null default now(),
    -- Whether its words go through `people` and `memberships` (0009): it has a mapping table, its items may lack a
    -- tenant, or it sends whole lists. A source keeps its kind from its first stored event on, for good.
    is_tracked       boolean     not null default false,
    -- Its proofs and its mapping, as the operator wrote them. Null: the preset's own.
    config           json,
    -- Grows with each change of `config`. Events and quarantine name the version that has read them.
    config_version   integer     not null default 1 check (config_version > 0),
    -- One tenant, or a list of at least one. A tracked source may have neither: its mapping table has the tenants.
    check (case when tenant_id is null then is_tracked or cardinality(allowed_tenants) > 0
                else cardinality(allowed_tenants) = 0 end)
);
-- Key on hook_id: every webhook finds its source by it. Since 0012 the sender of a disabled source is told to come again.

-- A slug is unique per tenant, and among the sources without one ('-'). Entered by `source rotate`.
create unique index sources_slug on dialtone.sources (coalesce(tenant_id, '-'), slug);

-- A row is a signing secret of a source. A source has several while a rotated secret is still accepted.
create table dialtone.source_secrets (
    secret_id   uuid        primary key,
    source_id   uuid        not null references dialtone.sources on delete cascade,
    -- Whose key seals the secret: the source's tenant, or '-' for a source of several tenants. '-' is no tenant, so
    -- there is no foreign key.
    tenant_id   text collate "C" not null,
    -- Vault format v1, bound to table 'source_secrets', column 'sealed', row = secret_id, user = source_id.
    sealed      bytea       not null,
    created_at  timestamptz not null default now(),
    -- Not accepted from here on: a proof's `not_after`. Null: until it is rotated.
    expires_at  timestamptz,
    -- Which proof of the source's configuration it belongs to, from 0. A proof has four secrets at most.
    proof       smallint    not null default 0 check (proof >= 0),
    -- Who made it, and so how it is read. 'dialtone': `whsec_…`, shown once. 'sender': the sender made it, an operator
    -- brought it in, and the proof says whether it is text or base64.
    made_by     text        not null default 'dialtone' check (made_by in ('dialtone', 'sender'))
);

-- Entered when a webhook's source is read with its secrets, by `source rotate`, and by the cascade.
create index source_secrets_source on dialtone.source_secrets (source_id);

-- A row is an API key. The key itself is shown once and never stored.
create table dialtone.api_keys (
    key_id      text collate "C" primary key,                               -- public part of the key: dtk_<key_id>_…
    tenant_id   text collate "C" references dialtone.tenants,               -- null: an operator's key, all tenants
    hash        bytea       not null check (octet_length(hash) = 32),       -- SHA-256 of the key's random part
    scopes      text[]      not null,                                       -- what it may do, such as 'users:read'
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,                                                -- null: never
    revoked_at  timestamptz                                                 -- null: in force
);
-- Primary key: every API request finds its key by it.

-- Finds the keys of one tenant.
create index api_keys_tenant on dialtone.api_keys (tenant_id);

-- A row is a key of the vault, wrapped (encrypted) by the key-encryption key.
create table dialtone.tenant_keys (
    key_id       uuid        primary key,        -- stands in the header of every value that this key seals
    tenant_id    text collate "C" not null,      -- '-': Dialtone's own, as in source_secrets; no foreign key
    -- 'record' seals values. 'index' makes the blind index of usernames; it outlives a change of the other key.
    purpose      text        not null check (purpose in ('record', 'index')),
    version      integer     not null check (version > 0),                  -- 1, 2, … per tenant and purpose
    -- 'active' seals and opens. 'decrypt' only opens. 'retired' and 'destroyed' do neither. Only 'active' is set so
    -- far: the others are reserved for rotation, and for destroying the keys of a tenant that is deleted.
    state        text        not null check (state in ('active', 'decrypt', 'retired', 'destroyed')),
    kek_uri      text        not null,           -- the key-encryption key, as in DIALTONE_KEK: `file:…` or `env:…`
    kek_version  integer     not null default 1, -- its version; always 1 so far
    wrapped      bytea       not null,           -- the 32-byte key, encrypted
    created_at   timestamptz not null default now(),
    unique (tenant_id, purpose, version)         -- a version is never made twice
);
-- Primary key: opening a sealed value finds the key that its header names.

-- One active key per tenant and purpose: of two nodes that make the first key, one wins. Sealing finds its key by it.
create unique index tenant_keys_active on dialtone.tenant_keys (tenant_id, purpose) where state = 'active';

grant select, insert, update, delete on
    dialtone.tenants, dialtone.sources, dialtone.source_secrets, dialtone.api_keys, dialtone.tenant_keys
    to dialtone_service;
