-- The proxy's tables, step 4: who may sign in. Never edited: a change is a new step.

-- A user of a served domain. The hashes stand for the password within the domain (RFC 7616 section 3.4.2).
CREATE TABLE user (
    aor    TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    md5    TEXT NOT NULL CHECK (length(md5) = 32)
) STRICT, WITHOUT ROWID;

-- Senders whose messages a user does not want: an address, or a domain alone for everybody in it.
CREATE TABLE block (
    aor    TEXT NOT NULL REFERENCES user (aor) ON DELETE CASCADE,
    sender TEXT NOT NULL,
    PRIMARY KEY (aor, sender)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER user_added AFTER INSERT ON user BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TRIGGER user_changed AFTER UPDATE ON user BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TRIGGER user_removed AFTER DELETE ON user BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TRIGGER block_added AFTER INSERT ON block BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TRIGGER block_removed AFTER DELETE ON block BEGIN UPDATE outside_version SET version = version + 1; END;
