-- Why: how fast all nodes together may go to the provider, and when they must not.
-- Lock: none that matters; everything here is new.
-- Backwards compatible: yes.

-- A row is a scope at the provider with a rate or a breaker, or a kind of call with a pause. Without a row there is no
-- limit. Every node reads all rows at most every 250 ms.
create table dialtone.provider_limits (
    -- 'account', or 'connection:<id>' of one connection (tenants): their creates. 'kind:tokens', 'kind:creates' (with
    -- looks and deletes) or 'kind:sweep': all calls of that kind.
    scope              text        primary key,

    -- Rate. One row for all nodes; the row's lock orders them. The algorithm is the generic cell rate algorithm: a call
    -- is granted when it is due within a second, and moves the due time by 1 / rate.
    rate               float8      check (rate > 0),  -- calls per second; only creates wait for it; null: no limit
    next_due           timestamptz,              -- when the next call is due; past or null: at once
    -- The same for creates that a look has permitted, which have a fifth of the account's rate. Queue and recovery
    -- cannot take each other's share; recovery may also use what the queue leaves. Past or null: at once.
    recovery_next_due  timestamptz,

    -- Pause of a kind. The provider said 429 to such a call. A pause of creates stops the sweep too.
    paused_until       timestamptz,              -- no call before; only ever extended; null: never paused

    -- Breaker. 401 opens the account's; 403, or the same rejection for three users in a row, that of a connection.
    -- 'open' lets no create through until probe_until. Then one node makes it 'half_open' and sends `allowance`
    -- creates; when one of them works the allowance doubles, and at 64 the breaker is 'closed'.
    breaker            text        not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
    opened_at          timestamptz,              -- when it left 'closed'; null: it never did
    probe_until        timestamptz,              -- open: when a probe may begin; half_open: how long its node holds it
    allowance          integer     not null default 1,  -- creates that the probe's holder may send
    reason             text,                     -- why it opened last, for an operator: 'HTTP 401'; null: it never did

    -- Rejections in a row, of different users, with the same code. The next create that works sets the count back.
    rejects            integer     not null default 0,
    reject_code        text,                     -- the provider's code; null: none
    reject_user        text                      -- the last user, who does not count twice; null: none
) with (fillfactor = 50);  -- no index has the columns that change, so room on the page keeps updates HOT

grant select, insert, update, delete on dialtone.provider_limits to dialtone_service;
