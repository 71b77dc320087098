-- The proxy's tables, step 1. Never edited: a change is a new step.

CREATE TABLE secret (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    key      BLOB NOT NULL CHECK (length(key) = 16)
) STRICT;

CREATE TABLE binding (
    aor        TEXT NOT NULL,
    contact    TEXT NOT NULL,
    q_permille INTEGER NOT NULL,
    call_id    TEXT NOT NULL,
    cseq       INTEGER NOT NULL,
    instance   TEXT,
    expires_at INTEGER NOT NULL, -- milliseconds since 1970, as every *_at
    flow       TEXT NOT NULL,    -- TRANSPORT LOCAL REMOTE, and the connection of a stream
    PRIMARY KEY (aor, contact)
) STRICT, WITHOUT ROWID;

-- One accepted MESSAGE. Written once; the flow alone may change (W12).
CREATE TABLE dispatch (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL,
    to_tag      TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    flow        TEXT NOT NULL,
    recipients  TEXT NOT NULL, -- [index, ...]
    request     BLOB NOT NULL
) STRICT;

-- Outcomes that became known together share a row, so that a message costs two rows and not two per recipient.
-- A later row overrides an earlier one. `recipient` is set where a row has one alone, so that its next one replaces it.
CREATE TABLE outcome (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    dispatch  INTEGER NOT NULL REFERENCES dispatch (id) ON DELETE CASCADE,
    recipient INTEGER,
    outcomes  TEXT NOT NULL, -- [[recipient, state, status, reason, tries, after_ms], ...]
    UNIQUE (dispatch, recipient)
) STRICT;

CREATE TABLE report (
    dispatch INTEGER PRIMARY KEY REFERENCES dispatch (id) ON DELETE CASCADE,
    cseq     INTEGER NOT NULL,
    rounds   INTEGER NOT NULL,
    due_at   INTEGER,
    closed   INTEGER NOT NULL CHECK (closed IN (0, 1))
) STRICT;
