-- Why: the ledger's id of a delivery depends on the source and on the sender's own id alone. An erasure takes the
-- sender's id away: a replay stays a duplicate, and no id is left that names the person.
-- Lock: ACCESS EXCLUSIVE on events and sources, for changes of the catalogue. The rows of sources that sign no time are
-- written; sources are few.
-- Backwards compatible: no. To a node of the version before, a delivery is new that a new node has stored for a source
-- that signs no time. Stop these nodes first.

set local lock_timeout = '2s';

-- The sender's own id of the delivery, where `delivery_id` is a hash of it. So it is where the source signs no time
-- (`sources.signs_time`). Null: `delivery_id` is the sender's, or nobody knows the sender's any more. An erasure takes
-- it from all events of a delivery of which one named the person. An event that leaves quarantine without a user loses
-- it too.
alter table dialtone.events add column sent_id text collate "C";

-- The proofs of the source have come to sign a time, or to sign none. The ledger may have both the sender's ids and
-- hashes of them, so intake looks for both, and moves the rows to the form that holds now. It stays true for good.
alter table dialtone.sources add column ids_changed boolean not null default false;

-- The version before has stored most ids of these sources as they came.
set local role dialtone_service;
update dialtone.sources set ids_changed = true where not signs_time;
set local role dialtone_owner;
