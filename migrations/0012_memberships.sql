-- Why: the index of memberships that are bound nowhere has no reader, and every such membership paid for it.
-- Lock: ACCESS EXCLUSIVE on memberships, for a change of the catalogue.
-- Backwards compatible: yes. A node of the version before does not enter by it either.

set local lock_timeout = '2s';

drop index dialtone.memberships_unmapped;
