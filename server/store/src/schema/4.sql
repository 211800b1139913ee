-- The environment of a terminated session is of no more use, and can hold secrets.
DELETE FROM environments WHERE session IN (SELECT id FROM sessions WHERE status = 'terminated');
