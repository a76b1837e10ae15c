-- Why: recovery's share of the account's rate is its own, so that neither the queue nor recovery can take the other's.
-- Lock: ACCESS EXCLUSIVE on provider_limits, a table of a row per connection, for a new column (no rewrite).
-- Backwards compatible: yes.

-- recovery_tat: as tat, of the creates that a look has permitted.
alter table dialtone.provider_limits add column recovery_tat timestamptz;
