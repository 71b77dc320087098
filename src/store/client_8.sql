-- The client's tables, step 8: the text of each message, decoded and indexed for a search, and what reports said. Never
-- edited: a change is a new step.

-- A table of its own, so that a text is read without the body. Rows of older messages are added in the background.
CREATE TABLE message_text (
    message INTEGER PRIMARY KEY REFERENCES message (id),
    text    TEXT NOT NULL,
    files   TEXT NOT NULL -- [name, ...] of the parts that are not text
) STRICT;

CREATE INDEX message_text_files ON message_text (message) WHERE files <> '[]';

-- Folded words with a blank between them (model/fold.rs); its rowid is the message. The texts themselves are above.
CREATE VIRTUAL TABLE search USING fts5 (
    text, files, content = '', contentless_delete = 1, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* S* P* C*'"
);

-- Messages with a number below this one have no text yet.
CREATE TABLE text_fill (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    below    INTEGER NOT NULL
) STRICT;

INSERT INTO text_fill (only_one, below) SELECT 1, coalesce(max(id), 0) + 1 FROM message;

-- What a report said of somebody to whom the attempt was not sent, or in a word that we do not know.
CREATE TABLE stranger (
    message  INTEGER NOT NULL REFERENCES message (id),
    attempt  INTEGER NOT NULL,
    address  TEXT NOT NULL,
    state    TEXT NOT NULL, -- the word in the report
    status   INTEGER,
    phrase   TEXT NOT NULL,
    tries    INTEGER,
    after_ms INTEGER,
    at       INTEGER NOT NULL,
    PRIMARY KEY (message, attempt, address)
) STRICT, WITHOUT ROWID;

-- Messages that are being written.
CREATE TABLE draft (
    place  INTEGER PRIMARY KEY, -- a conversation; 0 for a new message
    at     INTEGER NOT NULL,
    text   TEXT NOT NULL,
    people TEXT NOT NULL,       -- [[address, name], ...]
    hidden INTEGER NOT NULL CHECK (hidden IN (0, 1))
) STRICT;

CREATE TABLE draft_file (
    place      INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    name       TEXT,
    media_type TEXT NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (place, number)
) STRICT, WITHOUT ROWID;

-- Reports as they came.
CREATE TABLE report (
    message INTEGER NOT NULL REFERENCES message (id),
    attempt INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (message, attempt, number)
) STRICT, WITHOUT ROWID;
