-- Ids are text as people see it, enums are the words of the wire, times are milliseconds since the Unix epoch.
-- Foreign keys are checked at the end of a transaction: the order of changes within one is free.

-- Every id ever given to a session; it outlives the session, so that none is given twice.
CREATE TABLE session_ids (
    id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    directory TEXT NOT NULL,
    name TEXT,
    driver TEXT NOT NULL,
    model TEXT,
    permission_mode TEXT,
    model_reported TEXT,
    permission_mode_reported TEXT,
    claude_session TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    goal TEXT NOT NULL,
    launch INTEGER NOT NULL,
    host INTEGER NOT NULL,
    host_pid INTEGER,
    claude_pid INTEGER,
    ready INTEGER NOT NULL,
    status TEXT NOT NULL,
    status_since INTEGER NOT NULL,
    status_source TEXT NOT NULL,
    status_reason TEXT,
    error TEXT, -- JSON
    paused TEXT,
    pause_message TEXT,
    current_task TEXT,
    cost_before REAL NOT NULL,
    cost_launch REAL NOT NULL,
    context_used INTEGER,
    context_max INTEGER,
    unread INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    permissions INTEGER NOT NULL,
    startup_ms INTEGER,
    position_next INTEGER NOT NULL,
    position_line_start INTEGER NOT NULL,
    position_line_skip INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    rank INTEGER NOT NULL,
    steer INTEGER NOT NULL,
    handed INTEGER NOT NULL,
    started INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    error TEXT,
    CHECK ((finished_at IS NULL) = (state IN ('queued', 'running')))
) STRICT;

-- A session's open messages, which have no such time and are all that a daemon's start reads; its history; and what goes
-- with a session that is removed. One index for all three: every index is a page more that an accepted message waits for.
CREATE INDEX messages_finished ON messages (session, finished_at);

CREATE TABLE permissions (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    launch INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    tool TEXT NOT NULL,
    input TEXT NOT NULL, -- JSON
    title TEXT NOT NULL,
    suggestions TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    answered_by TEXT,
    answer TEXT, -- JSON
    delivered INTEGER NOT NULL,
    PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX permissions_open ON permissions (session, number)
    WHERE state = 'open' OR (state = 'answered' AND delivered = 0);

CREATE TABLE transcript (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL, -- JSON
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE environments (
    session TEXT NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    environment TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

-- What clients' requests did, in the order of their arrival, so that a repeat gets the first answer.
CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- No foreign key: the trail of a removed session stays.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    operation TEXT NOT NULL,
    session TEXT,
    detail TEXT,
    outcome TEXT NOT NULL
) STRICT;
