-- The client's tables, step 2: how an attempt leaves, as one message for all or as one for each.

ALTER TABLE attempt ADD COLUMN way TEXT NOT NULL DEFAULT 'fan-out' CHECK (way IN ('fan-out', 'one-by-one'));
