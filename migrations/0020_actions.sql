-- Why: actions. What an operator has done to a user, and the request that did it.
-- Lock: none on a table of before. Users whom an operator has revoked are read once, from the whole table.
-- Backwards compatible: yes, but erase nobody with a program of the version before: it leaves the user's id here. Nodes
-- of the version before write no actions, so theirs are in no timeline.

set local lock_timeout = '2s';

-- A row is one action of an operator on one user. The transaction that changes the user writes it.
create table dialtone.actions (
    at            timestamptz not null default clock_timestamp(),
    action_id     uuid        primary key,       -- stands in `users.cause_id` where the action changed what is wanted
    generation    integer     not null,          -- the user's after the action
    -- 'revoke'  no credential is wanted any more
    -- 'reopen'  a revoked user gets one again
    -- 'rotate'  the next generation is made, and replaces this one
    -- 'retry'   the user's job is tried again now
    action        text        not null check (action in ('revoke', 'reopen', 'rotate', 'retry')),
    -- The id of the request or command that asked for it. It was shown to whoever asked, and people quote it.
    request_id    text        not null check (octet_length(request_id) between 1 and 255),
    tenant_id     text collate "C" not null,
    user_id       text collate "C" not null
);
-- The timeline of a user; `user erase`.
create index actions_user on dialtone.actions (tenant_id, user_id, at);
-- `find` by the id of a request.
create index actions_request on dialtone.actions (tenant_id, request_id);

-- What is known of the actions before: when an operator's revoke was, as long as it stands.
insert into dialtone.actions (at, action_id, generation, action, request_id, tenant_id, user_id)
select known.held_at, known.id, known.generation, 'revoke', known.id::text, known.tenant_id, known.user_id
from (select held_at, gen_random_uuid() as id, generation, tenant_id, user_id
      from dialtone.users where held_at is not null) known;

-- ── What a tenant may read ─────────────────────────────────────────────────────────────────────────────────────────

alter table dialtone.actions enable row level security, force row level security;
create policy service on dialtone.actions to dialtone_service using (true) with check (true);
create policy backup on dialtone.actions for select to dialtone_owner using (true);
create policy tenant on dialtone.actions for select to dialtone_tenant
    using (tenant_id = (select current_setting('dialtone.tenant', true)));
grant select on dialtone.actions to dialtone_tenant;
grant select, insert, update, delete on dialtone.actions to dialtone_service;
