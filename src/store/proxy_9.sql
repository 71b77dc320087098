-- The proxy's tables, step 9: users with a new password. Never edited: a change is a new step.

-- What is removed: the whole user, or, when the password was changed, what was registered until then.
ALTER TABLE removed ADD COLUMN what TEXT NOT NULL DEFAULT 'user' CHECK (what IN ('user', 'bindings'));
