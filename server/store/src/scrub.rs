//! What was deleted must not remain in the files: `secure_delete` overwrites it in the pages of the database, and a
//! truncating checkpoint removes the older copies of these pages from the write-ahead log.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::StoreError;
use super::connection::{BUSY_TIMEOUT, preallocate_log};

/// How long a commit that deletes something waits for reads of the log to end. After that time it is left to a later
/// commit. A read takes a few milliseconds, and every other commit waits behind this one.
pub(super) const READERS_WAIT: Duration = Duration::from_millis(50);

/// Copies the log into the database and empties it. Returns false if a read still uses the log.
pub(super) fn empty_log(
    connection: &Connection,
    database: &Path,
    readers: Duration,
) -> Result<bool, StoreError> {
    connection.busy_timeout(readers)?;
    let busy: Result<bool, _> = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if busy? {
        return Ok(false);
    }
    preallocate_log(database)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::samples::{Store, entry, environment, message, session, session_id};
    use areyouj_core::orchestrator::{Change, EntryBody, EntryRow, MessageRow, NoticeLevel, SessionId};

    /// A text of this kind is in every row below.
    const SECRET: &str = "correct-horse-battery-staple";

    /// How often the text is in the files of the store.
    fn found(store: &Store) -> usize {
        let files = fs::read_dir(store.path().parent().unwrap()).unwrap();
        let bytes = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        bytes.map(|bytes| bytes.windows(SECRET.len()).filter(|part| *part == SECRET.as_bytes()).count()).sum()
    }

    /// Rows with the text: enough of them that pages are split and overflow.
    fn fill(store: &mut Store, id: SessionId) {
        store.commit(&[Change::Session(Box::new(session(id)))]);
        let mut variables = environment();
        variables.insert("TOKEN".to_owned(), SECRET.to_owned());
        store.commit(&[Change::Environment { session: id, environment: variables }]);
        for number in 1..=200 {
            let text = format!("{SECRET} {}", "x".repeat(usize::try_from(number).unwrap() * 40));
            let row = MessageRow { text: text.clone(), ..message(id, number) };
            let body = EntryBody::Notice { level: NoticeLevel::Info, text };
            let entry = EntryRow { body, ..entry(u64::from(number)) };
            store.commit(&[Change::Message(Box::new(row)), Change::Entry { session: id, entry }]);
        }
    }

    #[test]
    fn nothing_of_a_removed_session_remains_in_the_files() {
        let mut store = Store::new();
        let (removed, kept) = (session_id("AAAAAAAA"), session_id("BBBBBBBB"));
        fill(&mut store, removed);
        store.commit(&[Change::Session(Box::new(session(kept)))]);
        assert!(found(&store) > 0);
        store.commit(&[Change::SessionRemoved(removed)]);
        assert_eq!(found(&store), 0);
        assert_eq!(store.reader().integrity_check(), Ok(()));
    }

    #[test]
    fn nothing_of_a_dropped_environment_remains_in_the_files() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        let variables = std::iter::once(("TOKEN".to_owned(), SECRET.to_owned())).collect();
        store.commit(&[Change::Session(Box::new(session(id)))]);
        store.commit(&[Change::Environment { session: id, environment: variables }]);
        assert!(found(&store) > 0);
        store.commit(&[Change::EnvironmentRemoved(id)]);
        assert_eq!((found(&store), store.reader().environment(id)), (0, Ok(None)));
    }

    #[test]
    fn what_a_long_read_keeps_in_the_log_is_removed_by_a_later_commit() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        fill(&mut store, id);
        let reader = store.reader();
        reader.hold().unwrap();
        store.commit(&[Change::SessionRemoved(id)]);
        assert!(found(&store) > 0, "the read still uses the log");
        drop(reader);
        store.commit(&[Change::Session(Box::new(session(session_id("BBBBBBBB"))))]);
        assert_eq!(found(&store), 0);
    }

    #[test]
    fn what_a_killed_daemon_left_in_the_log_is_removed_at_the_next_start() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        fill(&mut store, id);
        let reader = store.reader();
        reader.hold().unwrap();
        store.commit(&[Change::SessionRemoved(id)]);
        let crashed = tempfile::tempdir().unwrap();
        for file in fs::read_dir(store.path().parent().unwrap()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), crashed.path().join(file.file_name())).unwrap();
        }
        let database = crashed.path().join("areyouj.db");
        let _committer = crate::open(&database).unwrap();
        for file in fs::read_dir(crashed.path()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
        }
    }
}
