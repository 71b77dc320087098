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
    flow       TEXT NOT NULL, reach TEXT NOT NULL DEFAULT 'contact' CHECK (reach IN ('contact', 'flow')), reg_id INTEGER, path TEXT NOT NULL DEFAULT '',    -- TRANSPORT LOCAL REMOTE, and the connection of a stream
    PRIMARY KEY (aor, contact)
) STRICT, WITHOUT ROWID;
CREATE TABLE dispatch (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL,
    to_tag      TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    flow        TEXT NOT NULL,
    recipients  TEXT NOT NULL, -- [index, ...]
    request     BLOB NOT NULL
, lists TEXT NOT NULL DEFAULT '[]', is_brief INTEGER NOT NULL DEFAULT 0 CHECK (is_brief IN (0, 1)), content BLOB CHECK (length(content) = 16)) STRICT;
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
, answered INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE device (
    aor      TEXT NOT NULL,
    instance TEXT NOT NULL,
    seen_at  INTEGER NOT NULL,
    PRIMARY KEY (aor, instance)
) STRICT, WITHOUT ROWID;
CREATE TABLE alias (
    alias  TEXT NOT NULL,
    place  INTEGER NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (alias, place),
    UNIQUE (alias, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE outside_version (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    version  INTEGER NOT NULL
) STRICT;
CREATE TRIGGER alias_added AFTER INSERT ON alias BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TRIGGER alias_removed AFTER DELETE ON alias BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TABLE user (
    aor    TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    md5    TEXT NOT NULL CHECK (length(md5) = 32)
) STRICT, WITHOUT ROWID;
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
CREATE INDEX dispatch_whole ON dispatch (id) WHERE is_brief = 0;
CREATE TABLE remembered (
    dispatch    INTEGER PRIMARY KEY REFERENCES dispatch (id) ON DELETE CASCADE,
    double      BLOB NOT NULL CHECK (length(double) = 16),
    content     BLOB NOT NULL CHECK (length(content) = 16),
    to_tag      TEXT NOT NULL CHECK (length(to_tag) <= 16),
    is_reported INTEGER NOT NULL CHECK (is_reported IN (0, 1)),
    head_bytes  INTEGER NOT NULL,
    keep_until  INTEGER NOT NULL
) STRICT;
CREATE TABLE removed (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    aor    TEXT NOT NULL
, what TEXT NOT NULL DEFAULT 'user' CHECK (what IN ('user', 'bindings'))) STRICT;
CREATE TRIGGER removed_added AFTER INSERT ON removed BEGIN UPDATE outside_version SET version = version + 1; END;
CREATE TABLE served (
    domain TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO secret (only_one, key) VALUES (1, x'7369787465656e206279746573206f6b');
INSERT INTO binding (aor, contact, q_permille, call_id, cseq, instance, expires_at, flow, reach, reg_id, path) VALUES ('ann@domain.com', 'sip:ann@127.0.0.1:40000', 1000, 'ann@bare', 4, NULL, 1700000600000, 'UDP 127.0.0.1:5060 127.0.0.1:40000', 'contact', NULL, '');
INSERT INTO binding (aor, contact, q_permille, call_id, cseq, instance, expires_at, flow, reach, reg_id, path) VALUES ('bob@domain.com', 'sip:bob@127.0.0.1:40000', 1000, 'bob@bare', 4, '<urn:uuid:1>', 1700000600000, 'TCP 127.0.0.1:5060 127.0.0.1:40000 7', 'contact', NULL, '');
INSERT INTO dispatch (id, key, to_tag, accepted_at, flow, recipients, request, lists, is_brief, content) VALUES (1, 'james@domain.com tag s1 c1@bare 1', 't1', 1700000000123, 'UDP 127.0.0.1:5060 127.0.0.1:40000', '[0,1]', x'4d455353414745207369703a616e6e40646f6d61696e2e636f6d205349502f322e300d0a5669613a205349502f322e302f554450203132372e302e302e313a34303030303b6272616e63683d7a39684734624b310d0a4d61782d466f7277617264733a2037300d0a46726f6d3a203c696d3a6a616d657340646f6d61696e2e636f6d3e3b7461673d73310d0a546f3a203c696d3a616e6e40646f6d61696e2e636f6d3e0d0a5365636f6e646172792d546f3a203c696d3a626f6240646f6d61696e2e636f6d3e0d0a5365636f6e646172792d546f3a203c7369703a616e6e40646f6d61696e2e636f6d3e0d0a43616c6c2d49443a20633140626172650d0a435365713a2031204d4553534147450d0a50726f78792d526571756972653a207365636f6e646172792d746f0d0a436f6e74656e742d547970653a20746578742f706c61696e0d0a436f6e74656e742d4c656e6774683a20330d0a0d0a497407', '[]', 0, NULL);
INSERT INTO dispatch (id, key, to_tag, accepted_at, flow, recipients, request, lists, is_brief, content) VALUES (2, 'james@domain.com tag s2 c2@bare 1', 't2', 1700000000123, 'UDP 127.0.0.1:5060 127.0.0.1:40000', '[0,1]', x'4d455353414745207369703a616e6e40646f6d61696e2e636f6d205349502f322e300d0a5669613a205349502f322e302f554450203132372e302e302e313a34303030303b6272616e63683d7a39684734624b320d0a4d61782d466f7277617264733a2037300d0a46726f6d3a203c696d3a6a616d657340646f6d61696e2e636f6d3e3b7461673d73320d0a546f3a203c696d3a616e6e40646f6d61696e2e636f6d3e0d0a5365636f6e646172792d546f3a203c696d3a626f6240646f6d61696e2e636f6d3e0d0a5365636f6e646172792d546f3a203c7369703a616e6e40646f6d61696e2e636f6d3e0d0a43616c6c2d49443a20633240626172650d0a435365713a2031204d4553534147450d0a50726f78792d526571756972653a207365636f6e646172792d746f0d0a436f6e74656e742d547970653a20746578742f706c61696e0d0a436f6e74656e742d4c656e6774683a20330d0a0d0a497407', '[]', 0, NULL);
INSERT INTO dispatch (id, key, to_tag, accepted_at, flow, recipients, request, lists, is_brief, content) VALUES (3, 'james@domain.com tag s3 c3@bare 1', 't3', 1700000000123, 'UDP 127.0.0.1:5060 127.0.0.1:40000', '[0,1]', x'4d455353414745207369703a616e6e40646f6d61696e2e636f6d205349502f322e300d0a5669613a205349502f322e302f554450203132372e302e302e313a34303030303b6272616e63683d7a39684734624b330d0a4d61782d466f7277617264733a2037300d0a46726f6d3a203c696d3a6a616d657340646f6d61696e2e636f6d3e3b7461673d73330d0a546f3a203c696d3a616e6e40646f6d61696e2e636f6d3e0d0a5365636f6e646172792d546f3a203c696d3a626f6240646f6d61696e2e636f6d3e0d0a5365636f6e646172792d546f3a203c7369703a616e6e40646f6d61696e2e636f6d3e0d0a43616c6c2d49443a20633340626172650d0a435365713a2031204d4553534147450d0a50726f78792d526571756972653a207365636f6e646172792d746f0d0a436f6e74656e742d547970653a20746578742f706c61696e0d0a436f6e74656e742d4c656e6774683a20330d0a0d0a497407', '[]', 0, NULL);
INSERT INTO outcome (id, dispatch, recipient, outcomes) VALUES (1, 1, NULL, '[[0,"delivered",408,"It''s \"late\"",11,32000],[1,"failed",408,"It''s \"late\"",11,32000]]');
INSERT INTO outcome (id, dispatch, recipient, outcomes) VALUES (2, 2, 1, '[[1,"delivered",408,"It''s \"late\"",11,32000]]');
INSERT INTO report (dispatch, cseq, rounds, due_at, closed, answered) VALUES (1, 1, 0, NULL, 1, 0);
INSERT INTO report (dispatch, cseq, rounds, due_at, closed, answered) VALUES (2, 2, 1, 1700000060000, 0, 0);
INSERT INTO outside_version (only_one, version) VALUES (1, 0);
PRAGMA application_id = 1178685008;
PRAGMA user_version = 9;
