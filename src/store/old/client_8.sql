CREATE TABLE conversation (
    id     INTEGER PRIMARY KEY,
    people TEXT NOT NULL, -- [[address, name], ...]
    hidden INTEGER NOT NULL CHECK (hidden IN (0, 1)),
    seen   INTEGER        -- the last message seen
) STRICT;
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
, unverified INTEGER NOT NULL DEFAULT 0) STRICT;
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
    at         INTEGER NOT NULL, way TEXT NOT NULL DEFAULT 'fan-out' CHECK (way IN ('fan-out', 'one-by-one')), by_list INTEGER NOT NULL DEFAULT 0 CHECK (by_list IN (0, 1)), asks INTEGER NOT NULL DEFAULT 0 CHECK (asks IN (0, 1)),
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_open ON attempt (message) WHERE stage <> 'closed';
CREATE TABLE inbox_key (
    key TEXT PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_key_at ON inbox_key (at);
CREATE TABLE device (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    bits     TEXT NOT NULL CHECK (length(bits) = 32)
) STRICT;
CREATE INDEX attempt_asks ON attempt (message) WHERE asks = 1;
CREATE TABLE "delivery" (
    message   INTEGER NOT NULL REFERENCES message (id),
    recipient INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'accepted', 'no-report', 'deferred', 'failed',
                                             'cancelled', 'passed-on', 'delivered', 'read')),
    status    INTEGER,
    phrase    TEXT NOT NULL,
    tries     INTEGER,
    after_ms  INTEGER,
    at        INTEGER NOT NULL, local TEXT,
    PRIMARY KEY (message, recipient, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_missed ON delivery (message) WHERE state IN ('failed', 'no-report');
CREATE TABLE message_text (
    message INTEGER PRIMARY KEY REFERENCES message (id),
    text    TEXT NOT NULL,
    files   TEXT NOT NULL -- [name, ...] of the parts that are not text
) STRICT;
CREATE INDEX message_text_files ON message_text (message) WHERE files <> '[]';
CREATE VIRTUAL TABLE search USING fts5 (
    text, files, content = '', contentless_delete = 1, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* S* P* C*'"
);
CREATE TABLE text_fill (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    below    INTEGER NOT NULL
) STRICT;
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
CREATE TABLE report (
    message INTEGER NOT NULL REFERENCES message (id),
    attempt INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (message, attempt, number)
) STRICT, WITHOUT ROWID;
INSERT INTO conversation (id, people, hidden, seen) VALUES (1, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 0, 4);
INSERT INTO conversation (id, people, hidden, seen) VALUES (2, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 1, NULL);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (1, 1, 1700000000001, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (2, 1, 1700000000002, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (3, 1, 1700000000003, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (4, 1, 1700000000004, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (5, 1, 1700000000005, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (6, 1, 1700000000006, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (7, 1, 1700000000007, NULL, NULL, NULL, '[["sip:ann@domain.com","\"ann\""],["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain;charset=utf-8', 13, 1, 2, x'6772c3bc6e0a756e6420626c6175', 0);
INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people, content_type, chars, newlines, recipient_count, body, unverified) VALUES (8, 2, 1700000003000, 1700000002900, 'sip:ann@domain.com', '"ann"', '[["sip:o''bob@domain.com","\"o''bob\""]]', 'text/plain', 10, 0, 0, x'436f6d6520686572652e', 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (1, 1, '[0,1]', 'c1@h', 'f1', 1, 'each;detail;id=i1', 'queued', NULL, 1700000001000, 'fan-out', 0, 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (2, 1, '[0,1]', 'c2@h', 'f2', 1, 'each;detail;id=i2', 'sent', NULL, 1700000001000, 'fan-out', 0, 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (3, 1, '[0,1]', 'c3@h', 'f3', 1, 'each;detail;id=i3', 'accepted', 't3', 1700000001000, 'fan-out', 0, 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (4, 1, '[0,1]', 'c4@h', 'f4', 1, 'each;detail;id=i4', 'closed', NULL, 1700000001000, 'fan-out', 0, 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (5, 1, '[0,1]', 'c5@h', 'f5', 1, 'each;detail;id=i5', 'closed', NULL, 1700000001000, 'fan-out', 0, 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (6, 1, '[0,1]', 'c6@h', 'f6', 1, 'each;detail;id=i6', 'closed', NULL, 1700000001000, 'fan-out', 0, 0);
INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, stage, to_tag, at, way, by_list, asks) VALUES (7, 1, '[0,1]', 'c7@h', 'f7', 1, 'each;detail;id=i7', 'closed', NULL, 1700000001000, 'fan-out', 0, 0);
INSERT INTO inbox_key (key, at) VALUES ('tag 1 MESSAGE call@h', 1700000003000);
INSERT INTO device (only_one, bits) VALUES (1, '00112233445566778899aabbccddeeff');
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (1, 0, 1, 'queued', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (1, 1, 1, 'queued', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (2, 0, 1, 'sending', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (2, 1, 1, 'sending', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (3, 0, 1, 'accepted', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (3, 1, 1, 'delivered', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (4, 0, 1, 'failed', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (4, 1, 1, 'passed-on', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (5, 0, 1, 'no-report', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (5, 1, 1, 'delivered', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (6, 0, 1, 'cancelled', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (6, 1, 1, 'cancelled', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (7, 0, 1, 'deferred', 480, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local) VALUES (7, 1, 1, 'delivered', NULL, 'Away', 11, 400, 1700000002000, NULL);
INSERT INTO message_text (message, text, files) VALUES (1, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (2, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (3, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (4, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (5, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (6, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (7, 'grün
und blau', '[]');
INSERT INTO message_text (message, text, files) VALUES (8, 'Come here.', '[]');
INSERT INTO text_fill (only_one, below) VALUES (1, 1);
PRAGMA application_id = 1178684995;
PRAGMA user_version = 8;
