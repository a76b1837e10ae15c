-- Why: what exists at the provider, which of it is wanted, and how fast we may go there.
-- Lock: none that matters, everything here is new. Backwards compatible: yes.

-- sealed_username, sealed_password: vault format v1, row = provider_id.
-- username_index: keyed hash of the username, to find a user by it without opening any.
create table dialtone.credentials (
    tenant_id        text collate "C" not null,
    user_id          text collate "C" not null,
    generation       integer     not null check (generation > 0),
    provider_id      text collate "C" not null unique,
    name             text collate "C" not null,
    tag              text collate "C" not null,
    status           text        not null check (status in ('active', 'closing', 'deleted')),
    sealed_username  bytea       not null,
    sealed_password  bytea       not null,
    username_index   bytea       not null check (octet_length(username_index) = 16),
    expires_at       timestamptz,
    created_at       timestamptz not null default now(),
    deleted_at       timestamptz,
    primary key (tenant_id, user_id, generation)
) with (fillfactor = 90);

-- Credentials at the provider that the ledger does not own although they bear our name.
-- An id stands here or in credentials, never in both.
create table dialtone.surplus (
    provider_id  text collate "C" primary key,
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null,
    generation   integer     not null,
    name         text collate "C" not null,
    tag          text collate "C",
    found_at     timestamptz not null default now(),
    deleted_at   timestamptz
);

create index surplus_open on dialtone.surplus (found_at) where deleted_at is null;

-- The shards of a tenant's tag (acme, acme.2, …): a tag holds at most 1000 credentials at the provider.
-- held counts slots given out, including those whose create is still in doubt.
create table dialtone.tenant_tags (
    tenant_id  text collate "C" not null references dialtone.tenants,
    shard      integer not null check (shard > 0),
    tag        text collate "C" not null unique,
    held       integer not null default 0 check (held >= 0),
    is_open    boolean not null default true,
    primary key (tenant_id, shard)
) with (fillfactor = 50);

create unique index tenant_tags_open on dialtone.tenant_tags (tenant_id) where is_open;

-- One row per provider account ('account') and per tenant connection ('connection:<id>').
create table dialtone.provider_limits (
    scope         text        primary key,
    paused_until  timestamptz,
    breaker       text        not null default 'closed' check (breaker in ('closed', 'open')),
    opened_at     timestamptz,
    probe_until   timestamptz,
    reason        text
) with (fillfactor = 50);

grant select, insert, update, delete on
    dialtone.credentials, dialtone.surplus, dialtone.tenant_tags, dialtone.provider_limits
    to dialtone_service;
