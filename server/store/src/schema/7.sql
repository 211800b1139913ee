-- The keys of the newest launches: a later daemon can give orders to their hosts.
CREATE TABLE host_keys (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    launch INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (session, launch)
) STRICT, WITHOUT ROWID;
