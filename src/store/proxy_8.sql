-- The proxy's tables, step 8: the way to a binding (RFC 3327). Never edited: a change is a new step.

-- The elements of Path as they were written, one a line; empty for none.
ALTER TABLE binding ADD COLUMN path TEXT NOT NULL DEFAULT '';
