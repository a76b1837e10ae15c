-- Why: sources that speak of people and their memberships, and not of users. What each source has told (people,
-- memberships), which organisation is which tenant (source_tenants), what a word did beside its own row (effects), what
-- could not be used (quarantine), and what was not stored (tally, samples). How far a source was read (source_pulls).
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes. Nodes of the version before write none of these tables.
--
-- A person is a user as one source knows it, under the source's own id. An organisation is a tenant as the source knows
-- it. `people` and `memberships` hold facts as the source told them, and `users` is their projection. Every fact keeps
-- the newest word, so the order in which words arrive does not matter.
--
-- The person's row is the lock: nobody writes a person or a membership without it, and it comes before the lock of the
-- user. People and memberships have no foreign key to sources, for the reason that events have none (0003).
--
-- A tenant may read `effects` and no other table of this file.

-- A row is a person, as one source tells of it.
create table dialtone.people (
    -- The newest word that the person is there or is suspended: the sender's time. '-infinity': there was none, or it
    -- had no time.
    told_at        timestamptz not null default '-infinity',
    source_id      uuid        not null,
    -- The newest deletion: what was told of the person up to this time is void, also what arrives later. 'infinity': a
    -- deletion without a time, which wins for good. Null: none.
    ended_at       timestamptz,
    -- The newest complete list of the person's organisations: a membership that was told before it has ended. Null:
    -- none.
    listed_at      timestamptz,
    -- Until when a person without a membership is kept; then housekeeping deletes the row. Null: it does not wait.
    waits_until    timestamptz,
    cause_id       uuid,                         -- the event that last changed the row; null: an operator did
    -- 'live', or 'suspended': no membership counts until the person is live again.
    state          text        not null default 'live' check (state in ('live', 'suspended')),
    external_user  text collate "C" not null check (octet_length(external_user) between 1 and 255),  -- users.user_id
    -- Each statement of the tracked writer, and `user reopen`.
    primary key (source_id, external_user)
)
-- Room for HOT updates: no index names `state`, `told_at` or `ended_at`.
with (fillfactor = 85);

-- Housekeeping takes those whose time to wait is over; `source waiting` lists them.
create index people_waiting on dialtone.people (source_id, waits_until) where waits_until is not null;

-- A row is a person's membership of an organisation, as one source tells of it.
create table dialtone.memberships (
    -- The newest word that the person is a member or has left: the sender's time. '-infinity' and 'infinity' stand for
    -- a join and a leave without a time.
    told_at          timestamptz not null default '-infinity',
    source_id        uuid        not null,
    invited_at       timestamptz,                -- the newest invitation; null: none
    cause_id         uuid,                       -- the event that last changed the row; null: an operator did
    -- 'live' or 'gone', by the newest word; 'none': only an invitation was told.
    state            text        not null check (state in ('none', 'live', 'gone')),
    external_user    text collate "C" not null check (octet_length(external_user) between 1 and 255),
    external_tenant  text collate "C" not null check (octet_length(external_tenant) between 1 and 255),
    -- The tenant that it is bound to. A leave goes there, wherever the organisation is mapped by then. Null: none yet,
    -- because the organisation was not mapped.
    tenant_id        text collate "C",
    -- The tracked writer: one membership, or all of one person. Lists of a source.
    primary key (source_id, external_user, external_tenant)
)
with (fillfactor = 85);  -- as for people

-- `source map add --replay` takes the memberships of one organisation that are bound nowhere.
create index memberships_unmapped on dialtone.memberships (source_id, external_tenant) where tenant_id is null;

-- A row maps an organisation of a source to a tenant. A source that belongs to one tenant maps to that one alone.
create table dialtone.source_tenants (
    source_id        uuid        not null references dialtone.sources on delete cascade,
    external_tenant  text collate "C" not null check (octet_length(external_tenant) between 1 and 255),
    tenant_id        text collate "C" references dialtone.tenants,          -- null: an operator has said to ignore it
    -- The transaction that last changed the row. A statement that began before it may have read the row as it was, so a
    -- change goes over the memberships until no such statement is left.
    changed_xid      xid8        not null default pg_current_xact_id(),
    -- The tracked writer, for a word that names no tenant.
    primary key (source_id, external_tenant)
);

-- A row is what a word did in a tenant that its row in `events` does not name: somebody deleted is gone everywhere.
create table dialtone.effects (
    at         timestamptz not null default now(),
    event_id   uuid        not null,             -- events.event_id
    effect     text        not null check (effect in ('live', 'gone')),     -- what is wanted since
    tenant_id  text collate "C" not null,
    user_id    text collate "C" not null,
    -- A word has one effect in a tenant at most. Found by a user's cause_id.
    primary key (event_id, tenant_id)
);

-- A row is an event that was proven and could not be used. Its row in `events` has the outcome 'quarantined' until it
-- is settled.
create table dialtone.quarantine (
    arrived_at      timestamptz not null default clock_timestamp(),         -- a replay under `order: arrival` counts as of it
    event_id        uuid        not null,
    source_id       uuid        not null,
    config_version  integer     not null,        -- the mapping that could not read it
    size            integer     not null,        -- of the body, in bytes
    settled_at      timestamptz,                 -- null: open
    -- One word of a closed set of the program, such as 'unmapped', 'mapping_changed' or 'reused_id'.
    reason          text        not null check (reason ~ '^[a-z][a-z0-9_]{0,62}$'),
    -- What settled it: 'replay' by an operator, 'resend' by the sender, 'map' when its organisation was mapped,
    -- 'dropped' by an operator, 'expired' with its body. Null: open.
    settled_by      text        check (settled_by in ('replay', 'resend', 'map', 'dropped', 'expired')),
    pointer         text        check (octet_length(pointer) <= 255),       -- the place in the body; null: none
    -- Whose key seals the body, as in source_secrets: the source's tenant, or '-'.
    tenant_id       text collate "C" not null,
    body_sha256     bytea       not null check (octet_length(body_sha256) = 32),
    -- What the mapping read, by its names; each value is 255 bytes at most. Null when its time is over.
    picks           json,
    -- The body. Vault format v1, bound to table 'quarantine', column 'sealed', row = event_id, user = source_id. Null:
    -- the preset cannot name its secrets, so the body was not kept; or its time is over.
    sealed          bytea,
    primary key (event_id),                      -- replay, drop, and the sender's next try
    check ((settled_at is null) = (settled_by is null))
);

-- `event list --quarantined`, the bound on a source's open rows, and housekeeping, which ends the oldest.
create index quarantine_open on dialtone.quarantine (source_id, arrived_at) where settled_at is null;

-- A row counts what was not stored: of one source, in one minute or hour, with one outcome and one reason. Nodes add to
-- it every ten seconds.
create table dialtone.tally (
    bucket     timestamptz not null,             -- when the minute or the hour begins
    -- The source. All zeros: hooks that are not known. All ones: sources beyond the number that is counted by name.
    source_id  uuid        not null,
    count      bigint      not null default 0,
    last_at    timestamptz not null,             -- the newest one, by the node's clock
    -- The newest difference between the sender's clock and ours, where the proof held but for the time. Null: none.
    skew_ms    bigint,
    minutes    smallint    not null check (minutes in (1, 60)),             -- minutes are kept for two hours, hours for 14 days
    outcome    text        not null check (outcome in ('refused', 'ignored', 'not_kept')),
    -- One word of a closed set; of what was ignored the sender's type, cut to its first bytes.
    reason     text collate "C" not null check (octet_length(reason) between 1 and 100),
    primary key (source_id, minutes, bucket, outcome, reason)
)
with (fillfactor = 85);  -- counts change in place (HOT)

-- A row is a sample of what was not stored: the newest twenty of a source and outcome, one a minute at most.
create table dialtone.samples (
    at         timestamptz not null,
    source_id  uuid        not null,             -- as in tally
    slot       smallint    not null check (slot between 0 and 19),
    outcome    text        not null check (outcome in ('refused', 'ignored', 'not_kept')),
    reason     text collate "C" not null check (octet_length(reason) between 1 and 100),
    form       json        not null,             -- names and lengths of headers, length of the body; no value of either
    primary key (source_id, outcome, slot)
);

-- A row is how far the events of a source were read from its provider, where they are pulled.
create table dialtone.source_pulls (
    source_id   uuid        primary key references dialtone.sources on delete cascade,
    holder      uuid,                            -- who reads, drawn per run; null: nobody
    held_until  timestamptz,                     -- the end of its lease; null: nobody reads
    missed      bigint      not null default 0,  -- events that a pull has found and no webhook had brought
    cursor      text                             -- the provider's; moves by compare-and-swap; null: from the start
);

alter table dialtone.effects enable row level security, force row level security;
create policy service on dialtone.effects to dialtone_service using (true) with check (true);
create policy backup  on dialtone.effects for select to dialtone_owner using (true);
create policy tenant  on dialtone.effects for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
grant select on dialtone.effects to dialtone_tenant;

grant select, insert, update, delete on
    dialtone.people, dialtone.memberships, dialtone.source_tenants, dialtone.effects, dialtone.quarantine,
    dialtone.tally, dialtone.samples, dialtone.source_pulls
    to dialtone_service;
