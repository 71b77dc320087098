-- The proxy's tables, step 7: users who were removed, and what was served. Never edited: a change is a new step.

-- A user who was removed, until the proxy has purged what was his, so that whoever has the address next gets none of it. The numbers
-- grow, so that somebody who was added again and has registered is not purged once more.
CREATE TABLE removed (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    aor    TEXT NOT NULL
) STRICT;

CREATE TRIGGER removed_added AFTER INSERT ON removed BEGIN UPDATE outside_version SET version = version + 1; END;

-- The domains that the proxy served when it was started last, so that commands can warn of others.
CREATE TABLE served (
    domain TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
