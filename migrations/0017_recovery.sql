-- Why: a credential that the provider has lost is replaced soon, and one that will end is replaced before its end. A
-- tenant says how long its credentials are to live.
-- Lock: ACCESS EXCLUSIVE on tenants, for a change of the catalogue and a scan for the check. SHARE on credentials, while
-- two partial indexes are built: about a second for a million rows.
-- Backwards compatible: yes. A node of the version before lets credentials live as long as the provider does.

set local lock_timeout = '2s';

-- Workers ask for missing credentials once more, in the order in which they were missed.
create index credentials_missing on dialtone.credentials (missing_since, provider_id)
    where status = 'active' and missing_since is not null;
-- Housekeeping replaces credentials before their end.
create index credentials_expiring on dialtone.credentials (expires_at)
    where status = 'active' and expires_at is not null;
-- How long the tenant's credentials are to live. Null: as long as the provider lets them.
alter table dialtone.tenants add column credential_life interval check (credential_life >= interval '1 day');
