-- A message that came straight from somebody, not from the server of the account: nobody has looked at who wrote it.
ALTER TABLE message ADD COLUMN unverified INTEGER NOT NULL DEFAULT 0;
