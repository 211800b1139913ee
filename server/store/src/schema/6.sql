-- Directories that a person trusts through AreYouJ, free of symbolic links, each with everything below it.
CREATE TABLE trusted_directories (
    path TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
