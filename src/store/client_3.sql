-- The client's tables, step 3: what tells this device from others of its owner. Never edited: a change is a new step.

CREATE TABLE device (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    bits     TEXT NOT NULL CHECK (length(bits) = 32)
) STRICT;

INSERT INTO device (only_one, bits) VALUES (1, lower(hex(randomblob(16))));
