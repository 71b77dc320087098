-- The proxy's tables, step 5: bindings that are reached over their flow alone (RFC 5626). Never edited: a change is a new step.

ALTER TABLE binding ADD COLUMN reach TEXT NOT NULL DEFAULT 'contact' CHECK (reach IN ('contact', 'flow'));
ALTER TABLE binding ADD COLUMN reg_id INTEGER;
