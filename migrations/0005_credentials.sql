-- Why: job → credential. What the ledger owns at the provider (credentials), what it does not own although it bears our
-- name (surplus), and the tags of both (tenant_tags).
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.

-- A row is a telephony credential that the ledger owns: one generation of one user. Deleted ones stay, so that their
-- generation is never opened again. An id of the provider stands here or in surplus, never in both.
create table dialtone.credentials (
    tenant_id        text collate "C" not null,
    user_id          text collate "C" not null,
    generation       integer     not null check (generation > 0),
    provider_id      text collate "C" not null unique,  -- the provider's id; its first writer owns it
    name             text collate "C" not null,  -- at the provider: a hash of installation, tenant, user and generation
    tag              text collate "C" not null,  -- the tag it was made under (tenant_tags.tag)
    -- 'active' serves. 'closing' is to be deleted at the provider, from close_after on. 'deleted' is gone there.
    status           text        not null check (status in ('active', 'closing', 'deleted')),
    -- Vault format v1, bound to this table, the column, tenant, user, generation, and row = provider_id.
    sealed_username  bytea       not null,
    sealed_password  bytea       not null,
    -- Keyed hash of the SIP username, cut to 16 bytes: finds a user by it without opening any. No index uses it yet.
    username_index   bytea       not null check (octet_length(username_index) = 16),
    expires_at       timestamptz,                -- the provider's end of the credential; null: none
    created_at       timestamptz not null default now(),
    close_after      timestamptz,                -- closing: may serve until then, then it is deleted; null: at once
    missing_since    timestamptz,                -- first 404 for an active one; a second, later, makes it vanished
    deleted_at       timestamptz,                -- null: not deleted
    -- One credential per generation. Claim, finish and handoff start from the user.
    primary key (tenant_id, user_id, generation)
) with (fillfactor = 90);
-- Key on provider_id: delete, sweep and surplus start from an id. `Witness` reads it from a random place on.

-- The sweep compares a tag with what the ledger has of it.
create index credentials_tag on dialtone.credentials (tag) where status <> 'deleted';
-- Housekeeping looks for credentials to delete whose user has no job: a page at a time, by user, however many wait.
create index credentials_closing on dialtone.credentials (tenant_id, user_id) where status = 'closing';

-- A row is a credential at the provider that bears our name and that the ledger does not own: its generation is
-- closed or owned by another id. It is deleted once committed rows show that.
create table dialtone.surplus (
    provider_id    text collate "C" primary key,
    tenant_id      text collate "C" not null,    -- whose name it bears
    user_id        text collate "C" not null,
    generation     integer     not null,
    name           text collate "C" not null,
    tag            text collate "C",             -- null: not known
    found_at       timestamptz not null default now(),
    claimed_until  timestamptz,                  -- one deleter at a time, and pauses after failures; null: free
    attempts       integer     not null default 0,  -- deletes that failed; each doubles the pause, up to ten minutes
    deleted_at     timestamptz                   -- the provider said 200 or 404; null: still to be deleted
);

-- The deleter takes the oldest, and removes those that were recorded as credentials meanwhile.
create index surplus_open on dialtone.surplus (found_at) where deleted_at is null;

-- A row is a shard of a tenant's tag: `acme`, `acme.2`, … The provider lets a tag hold 1000 credentials.
create table dialtone.tenant_tags (
    -- The foreign key is checked only when a shard is opened, not when slots are taken.
    tenant_id    text collate "C" not null references dialtone.tenants,
    shard        integer not null check (shard > 0),             -- 1 for `acme`, 2 for `acme.2`
    tag          text collate "C" not null unique,               -- the tag as the provider has it
    -- The order in which a tenant's shards were opened: the greatest is the open one, from which claims take slots. A
    -- shard that has emptied is opened again with the next number. Null: found by the sweep, and not opened by us.
    opened       integer default 0,
    -- Slots given out, also those whose create is in doubt. One update per claimed batch, not per job.
    held         integer not null default 0 check (held >= 0),
    room         integer check (room > 0),       -- its size when the provider called it full; null: never
    swept_at     timestamptz,                    -- when the sweep last compared it; null: never
    empty_since  timestamptz,                    -- since when the sweep sees none at the provider; null: it sees some
    -- The sweep's count, and opening. Giving a slot back names tenant and tag.
    primary key (tenant_id, shard)
) with (fillfactor = 50);  -- `held` changes with every batch; no index has it, so room on the page keeps that HOT

-- The claim takes the open shard from the end of this index. An index of open shards only would lead it past the old
-- versions of all shards before. Vacuum cannot remove those while an old snapshot is open.
create unique index tenant_tags_opened on dialtone.tenant_tags (tenant_id, opened);

grant select, insert, update, delete on dialtone.credentials, dialtone.surplus, dialtone.tenant_tags
    to dialtone_service;
