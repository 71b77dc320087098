-- The client's tables, step 5: that somebody has read a message, and which attempts ask for that (RFC 5438). Never
-- edited: a change is a new step.

ALTER TABLE attempt ADD COLUMN asks INTEGER NOT NULL DEFAULT 0 CHECK (asks IN (0, 1));

CREATE INDEX attempt_asks ON attempt (message) WHERE asks = 1;

-- A CHECK cannot be changed in place.
CREATE TABLE delivery_with_read (
    message   INTEGER NOT NULL REFERENCES message (id),
    recipient INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'accepted', 'no-report', 'deferred', 'failed',
                                             'cancelled', 'passed-on', 'delivered', 'read')),
    status    INTEGER,
    phrase    TEXT NOT NULL,
    tries     INTEGER,
    after_ms  INTEGER,
    at        INTEGER NOT NULL,
    PRIMARY KEY (message, recipient, attempt)
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_with_read (message, recipient, attempt, state, status, phrase, tries, after_ms, at)
    SELECT message, recipient, attempt, state, status, phrase, tries, after_ms, at FROM delivery;

DROP TABLE delivery;

ALTER TABLE delivery_with_read RENAME TO delivery;

CREATE INDEX delivery_missed ON delivery (message) WHERE state IN ('failed', 'no-report');
