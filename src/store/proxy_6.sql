-- The proxy's tables, step 6: what is left of a message of which nothing is owed. Never edited: a change is a new step.

-- Set once nothing is owed: `request` is the head alone then, and a start does not read this row.
ALTER TABLE dispatch ADD COLUMN is_brief INTEGER NOT NULL DEFAULT 0 CHECK (is_brief IN (0, 1));
-- The number of its recipients and its body, once that is gone.
ALTER TABLE dispatch ADD COLUMN content BLOB CHECK (length(content) = 16);
CREATE INDEX dispatch_whole ON dispatch (id) WHERE is_brief = 0;

-- What a start reads in its place: the numbers of its key and of its content, and what answers its double (W12).
CREATE TABLE remembered (
    dispatch    INTEGER PRIMARY KEY REFERENCES dispatch (id) ON DELETE CASCADE,
    double      BLOB NOT NULL CHECK (length(double) = 16),
    content     BLOB NOT NULL CHECK (length(content) = 16),
    to_tag      TEXT NOT NULL CHECK (length(to_tag) <= 16),
    is_reported INTEGER NOT NULL CHECK (is_reported IN (0, 1)),
    head_bytes  INTEGER NOT NULL,
    keep_until  INTEGER NOT NULL
) STRICT;
