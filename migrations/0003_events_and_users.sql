-- Why: webhook → event. What senders have said (events), and what is therefore wanted (users).
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.
--
-- Neither table has a foreign key to sources or tenants. Intake knows both from the source, and the check would lock
-- one row of sources or tenants from every commit of that source or tenant.

-- A row is what one delivery said of one user. The ledger of deliveries. For senders without timestamps it is the only
-- guard against a replay, so a row is kept for good. One that changed nothing goes where another guard holds (0013).
--
-- The order of the columns packs the row: those that every row has and that have a fixed length come first, then
-- those that may be null, then texts. `users` and the tables of 0009 do the same.
create table dialtone.events (
    received_at      timestamptz not null,       -- when it arrived, by the node's clock
    event_id         uuid        not null,       -- ours, random; the sender gets it in the response
    source_id        uuid        not null,
    item             integer     not null default 0 check (item >= 0),      -- place of the user in the delivery, from 0
    config_version   integer,                    -- the version of the source's mapping that read it; null: no mapping
    occurred_at      timestamptz,                -- the sender's time; null: it gave none
    secret_id        uuid,                       -- the secret whose proof held (source_secrets); null: not noted
    -- The sender's id of the delivery (header webhook-id). The limit keeps the key below what an index entry may hold.
    delivery_id      text collate "C" not null check (octet_length(delivery_id) between 1 and 255),
    -- The tenant that it names. '-': it names none, and its source serves several. '-' is no tenant, so no tenant sees
    -- the row; what it did in tenants stands in `effects` (0009).
    tenant_id        text collate "C" not null,
    user_id          text collate "C" check (octet_length(user_id) between 1 and 255),  -- null: it could not be read
    wanted           text        check (wanted in ('live', 'gone')),        -- what it asks for; null: as user_id
    -- 'accepted'     it changed what is wanted, or what the source has told of the person
    -- 'duplicate'    what it asks for was wanted already
    -- 'superseded'   somebody has said something newer, or stronger
    -- 'waiting'      reserved for a tenant that is suspended: its events are stored and wait
    -- 'ignored'      an operator has dropped it, or its person was erased. What asks nothing is counted and not stored.
    -- 'quarantined'  its proof holds and its body cannot be used yet. It changes nothing and waits for an operator, or
    --                for the sender's next try (`quarantine`, 0009).
    outcome          text        not null check (
                         outcome in ('accepted', 'duplicate', 'superseded', 'waiting', 'ignored', 'quarantined')),
    -- The source's own id of the organisation, of a tracked source; null: it names none. This column and the next have
    -- no check, because each costs every sign-up; `memberships` (0009) checks the first, and the program writes both.
    external_tenant  text collate "C",
    -- Why the outcome is what it is. Null: the outcome says it all.
    -- 'waits'         the person has no membership yet
    -- 'invited'       an invitation gives nothing before it is accepted
    -- 'suspended'     the membership is known, and the person is suspended
    -- 'unmapped'      no tenant is known for the organisation
    -- 'held'          an operator has revoked the user, and the word does not lift that
    -- 'other_source'  another source's word on the user stands
    -- 'erased'        its person was erased; user and wish are null
    detail           text,
    primary key (event_id),                      -- entered by `amend`, and to mark an event 'superseded' after its insert
    unique (source_id, delivery_id, item)        -- a delivery is recorded once; intake's insert and look-up enter by it
);

-- A row is a user and the desired state of that user. Every decision about a user is made under the lock of this row.
create table dialtone.users (
    received_at  timestamptz not null,           -- arrival of the event that set `wanted`, by the node's clock
    -- The credential that is wanted is the one of this generation; when 'gone', the last generation there was. A
    -- rotation, a sign-up after a revoke and a credential that the provider has lost each open the next one. None is
    -- opened again.
    generation   integer     not null default 1 check (generation > 0),
    -- The sender's newest time: an older event of the same source is superseded. Null: no event had a time.
    -- '-infinity': none had, and an operator has revoked the user, so any time is newer.
    occurred_at  timestamptz,
    ready_at     timestamptz,                    -- when this wish last got a credential; null: not yet
    -- When an operator revoked the user. It stands beside the sender's time line: only a sign-up from after it lifts
    -- it, or an operator. Null: no operator's word stands.
    held_at      timestamptz,
    -- The source of the newest word. Another source's word within five minutes is a tie, and a delete wins ties. Null:
    -- not known; then all sources are alike.
    told_by      uuid,
    -- What is behind the present wish: an event's id, or an operator's action. Null: an action that has no id.
    cause_id     uuid,
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null check (octet_length(user_id) between 1 and 255),  -- the sender's id, opaque
    wanted       text        not null check (wanted in ('live', 'gone')),   -- one credential, or none
    -- Where the user stands, for people to read. Only 'failed' is also obeyed: such a user gets no credential until an
    -- operator, the sweep or the sender says so.
    status       text        not null check (status in ('pending', 'ready', 'failed', 'revoking', 'revoked')),
    -- Who set `wanted`, where it was not a source: 'operator'. Null: the source of `told_by`.
    wished_by    text,
    -- Intake, claim, finish and list enter by it. Pages of the list go on after the last user_id.
    primary key (tenant_id, user_id)
)
-- Room on each page, so that an update puts the row's new version on the same page and touches no index (HOT). For the
-- same reason no index names `status`, not even in a predicate.
with (fillfactor = 80);

grant select, insert, update, delete on dialtone.events, dialtone.users to dialtone_service;
