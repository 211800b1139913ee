-- Whether a turn of the conversation has ended, so that Claude must have a record of it.
ALTER TABLE sessions ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET recorded = 1
    WHERE EXISTS (SELECT 1 FROM messages WHERE session = sessions.id AND state IN ('done', 'failed'));
