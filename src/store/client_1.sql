-- The client's tables, step 1. Never edited: a change is a new step.

CREATE TABLE conversation (
    id     INTEGER PRIMARY KEY,
    people TEXT NOT NULL, -- [[address, name], ...]
    hidden INTEGER NOT NULL CHECK (hidden IN (0, 1)),
    seen   INTEGER        -- the last message seen
) STRICT;

-- Messages of both directions; `from_address` is set in received ones alone.
CREATE TABLE message (
    id              INTEGER PRIMARY KEY,
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    at              INTEGER NOT NULL, -- milliseconds since 1970, as every *_at
    sent_at         INTEGER,
    from_address    TEXT,
    from_name       TEXT,
    people          TEXT NOT NULL,    -- [[address, name], ...]: recipients of our own, Also-To of a received one
    content_type    TEXT NOT NULL,
    chars           INTEGER NOT NULL, -- of the body as text
    newlines        INTEGER NOT NULL,
    recipient_count INTEGER NOT NULL, -- 0 for a received message
    body            BLOB NOT NULL
) STRICT;

-- Holds all that the outline of a conversation needs, so that 100,000 messages are outlined without reading one.
CREATE INDEX message_outline ON message (conversation, id, chars, newlines, recipient_count);

CREATE TABLE attempt (
    message    INTEGER NOT NULL REFERENCES message (id),
    number     INTEGER NOT NULL,
    recipients TEXT NOT NULL, -- [index, ...]
    call_id    TEXT NOT NULL,
    from_tag   TEXT NOT NULL,
    cseq       INTEGER NOT NULL,
    report     TEXT NOT NULL,
    stage      TEXT NOT NULL CHECK (stage IN ('queued', 'sent', 'accepted', 'closed')),
    to_tag     TEXT,
    at         INTEGER NOT NULL,
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_open ON attempt (message) WHERE stage <> 'closed';

CREATE TABLE delivery (
    message   INTEGER NOT NULL REFERENCES message (id),
    recipient INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'accepted', 'no-report', 'deferred', 'failed',
                                             'cancelled', 'passed-on', 'delivered')),
    status    INTEGER,
    phrase    TEXT NOT NULL,
    tries     INTEGER,
    after_ms  INTEGER,
    at        INTEGER NOT NULL,
    PRIMARY KEY (message, recipient, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_missed ON delivery (message) WHERE state IN ('failed', 'no-report');

-- What tells a received double (W15), kept for some days.
CREATE TABLE inbox_key (
    key TEXT PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_key_at ON inbox_key (at);
