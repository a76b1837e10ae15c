-- Why: an event in quarantine is tried again with a mended mapping. For that it must be known where it stood in its
-- request, what else came with it, and which other rows need the same body.
-- Lock: `quarantine`, for a moment; the table has no row that is read often.
-- Backwards compatible: yes. A node of the version before writes rows without these columns. Such a row is settled by
-- its sender or dropped, and is not replayed: the body that stands beside it has another form.

alter table dialtone.quarantine
    -- The rows of one request share one body. It stands in `sealed` of one of them that is open, as a rule the last, and
    -- goes to another one when that is settled. This is the first row's event_id: the body is sealed for it, and who
    -- settles any of the rows locks that one. Null: a row of the version before.
    add column body_id uuid,
    -- The place of the delivery in its request, from 0.
    add column number integer not null default 0 check (number >= 0),
    -- What failed as one: an item of a delivery, a whole delivery, or all that its request held. A replay takes in all
    -- that the mapping now reads there.
    add column spans text not null default 'item' check (spans in ('item', 'delivery', 'request'));

-- The next row that gets the body, and the one that has it. Open rows alone are in it, so a source that sends nothing
-- unusable pays nothing; a row in quarantine costs one more index entry, and one more when it is settled.
create index quarantine_body on dialtone.quarantine (body_id, event_id) where settled_at is null;
