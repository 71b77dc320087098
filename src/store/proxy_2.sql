-- The proxy's tables, step 2: the mailbox. Never edited: a change is a new step.

-- A device that registered with a `+sip.instance`, remembered beyond its binding: what another device took while
-- this one was away is owed to it (W16). What waits for whom stands in the outcomes.
CREATE TABLE device (
    aor      TEXT NOT NULL,
    instance TEXT NOT NULL,
    seen_at  INTEGER NOT NULL,
    PRIMARY KEY (aor, instance)
) STRICT, WITHOUT ROWID;

-- The latest NOTIFY that the sender has, of those that told who waits.
ALTER TABLE report ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
