-- The client's tables, step 4: ONE MESSAGE for all may carry them as a list in its body (RFC 5365). Never edited: a change is a new step.

ALTER TABLE attempt ADD COLUMN by_list INTEGER NOT NULL DEFAULT 0 CHECK (by_list IN (0, 1));
