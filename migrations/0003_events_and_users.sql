-- Why: webhook → event. What senders have said (events), and what is therefore wanted (users).
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.
--
-- Neither table has a foreign key to sources or tenants. Intake knows both from the source, and the check would lock
-- one row of sources or tenants from every commit of that source or tenant.

-- A row is what one delivery said of one user. The ledger of deliveries: rows are inserted and not deleted. For senders
-- without timestamps it is the only guard against a replay, so a row is kept as long as its user.
create table dialtone.events (
    event_id     uuid        not null,           -- ours, random; the sender gets it in the response
    source_id    uuid        not null,
    -- The sender's id of the delivery (header webhook-id). The limit keeps the key below what an index entry may hold.
    delivery_id  text collate "C" not null check (octet_length(delivery_id) between 1 and 255),
    item         integer     not null default 0 check (item >= 0),          -- place of the user in the delivery, from 0
    tenant_id    text collate "C" not null,
    user_id      text collate "C" check (octet_length(user_id) between 1 and 255),  -- null: reserved, as 'ignored'
    wanted       text        check (wanted in ('live', 'gone')),            -- what it asks for; null: as user_id
    -- 'accepted'     it changed what is wanted
    -- 'duplicate'    what it asks for was wanted already
    -- 'superseded'   the sender has said something newer
    -- 'ignored'      reserved; nothing writes it. An event whose type asks nothing of us is counted and not stored.
    -- 'quarantined'  reserved; nothing writes it yet. It is for deliveries from identity providers whose proof holds
    --                and whose body cannot be used. Such an event changes nothing and waits for an operator.
    outcome      text        not null
                 check (outcome in ('accepted', 'duplicate', 'superseded', 'ignored', 'quarantined')),
    occurred_at  timestamptz,                    -- the sender's time; null: it gave none
    received_at  timestamptz not null,           -- when it arrived, by the node's clock
    primary key (event_id),                      -- entered to mark an event 'superseded' after its insert
    unique (source_id, delivery_id, item)        -- a delivery is recorded once; intake's insert and look-up enter by it
);

-- A row is a user and the desired state of that user. Every decision about a user is made under the lock of this row.
create table dialtone.users (
    tenant_id    text collate "C" not null,
    user_id      text collate "C" not null check (octet_length(user_id) between 1 and 255),  -- the sender's id, opaque
    wanted       text        not null check (wanted in ('live', 'gone')),   -- one credential, or none
    -- The credential that is wanted is the one of this generation; when 'gone', the last generation there was. A
    -- rotation, a sign-up after a revoke and a credential that the provider has lost each open the next one. None is
    -- opened again.
    generation   integer     not null default 1 check (generation > 0),
    -- Where the user stands, for people to read. Only 'failed' is also obeyed: such a user gets no credential until an
    -- operator, the sweep or the sender says so.
    status       text        not null check (status in ('pending', 'ready', 'failed', 'revoking', 'revoked')),
    -- The sender's newest time; an operator's revoke or reopen counts too. An older event is superseded. Null: no
    -- event had a time.
    occurred_at  timestamptz,
    received_at  timestamptz not null,           -- arrival of the event that set `wanted`, by the node's clock
    ready_at     timestamptz,                    -- when this wish last got a credential; null: not yet
    -- Intake, claim, finish and list enter by it. Pages of the list go on after the last user_id.
    primary key (tenant_id, user_id)
)
-- Room on each page, so that an update puts the row's new version on the same page and touches no index (HOT). For the
-- same reason no index names `status`, not even in a predicate.
with (fillfactor = 80);

grant select, insert, update, delete on dialtone.events, dialtone.users to dialtone_service;
