-- Terminal sessions: which driver a session is to move to, once its turn has ended.
ALTER TABLE sessions ADD COLUMN move_to TEXT;
