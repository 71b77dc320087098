-- The proxy's tables, step 3: addresses that stand for others. Never edited: a change is a new step.

-- A member of a list; an alias is a list of one.
CREATE TABLE alias (
    alias  TEXT NOT NULL,
    place  INTEGER NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (alias, place),
    UNIQUE (alias, member)
) STRICT, WITHOUT ROWID;

-- Grows with every change that is made from outside, so that a running proxy sees it.
CREATE TABLE outside_version (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    version  INTEGER NOT NULL
) STRICT;
INSERT INTO outside_version (only_one, version) VALUES (1, 0);

CREATE TRIGGER alias_added AFTER INSERT ON alias BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TRIGGER alias_removed AFTER DELETE ON alias BEGIN UPDATE outside_version SET version = version + 1; END;

-- What the lists in a message stood for when it was accepted: [[place, [member, ...]], ...].
ALTER TABLE dispatch ADD COLUMN lists TEXT NOT NULL DEFAULT '[]';
