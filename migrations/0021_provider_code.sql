-- Why: failures in groups. The provider's code says which rejections have one cause.
-- Lock: ACCESS EXCLUSIVE on jobs for a change of the catalogue, and nothing else: a file that locked other tables before
-- could meet a sign-up crosswise, which takes users and events first.
-- Backwards compatible: yes. Nodes of the version before write no code.

set local lock_timeout = '2s';

-- The provider's code to what it rejected, beside its words: one cause has one code, and may have many words. Null: it
-- gave none.
alter table dialtone.jobs add column provider_code text;
