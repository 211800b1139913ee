-- Who did what, as the kernel says; `by` is the name that the client gave itself. Rows that are alike share one, which
-- has their number and the time of the last one.
ALTER TABLE audit ADD COLUMN last INTEGER;
ALTER TABLE audit ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE audit ADD COLUMN actor_session TEXT;
ALTER TABLE audit ADD COLUMN pid INTEGER;
ALTER TABLE audit ADD COLUMN program TEXT;
ALTER TABLE audit ADD COLUMN terminal TEXT;
-- What AreYouJ refused to processes inside a session (JSON), and how many notes they added.
ALTER TABLE sessions ADD COLUMN refusals TEXT;
ALTER TABLE sessions ADD COLUMN notes INTEGER NOT NULL DEFAULT 0;
