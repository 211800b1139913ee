//! Reads data that is not in the daemon's memory: transcripts, finished messages, answered permission requests, the
//! audit trail.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Params, params};

use super::cell::{Cell, Cells};
use super::rows::{Stored, collect};
use super::{StoreError, connection};
use areyouj_core::orchestrator::{
    AuditRow, EntryRow, HostKey, MessageId, MessageRow, PermissionId, PermissionRow, SessionId, SessionRow,
};

/// `PRAGMA integrity_check` stops after this many faults: the user must know that there are faults, but does not need
/// all of them.
const FAULTS_MAX: u32 = 5;

/// Sorts after every character of an id.
const AFTER_IDS: char = '~';

/// A connection that only reads. Each call sees everything that was committed before it, and never waits for a writer.
/// Only one thread can use it at a time.
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens the database for reading; the database must exist.
    ///
    /// # Errors
    ///
    /// A database of a newer version is rejected.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        connection::reject_newer(path)?;
        Ok(Reader { connection: connection::open_for_reading(path)? })
    }

    /// A page of a session's transcript: the newest entries with a `seq` below `before` and above `after`, from old to
    /// new, and whether the range has older ones. The page has at most `limit` entries and about `max_bytes` of JSON.
    /// It has at least one entry, of any size, if there is one, so that a client can always continue.
    pub fn entries(
        &self,
        session: SessionId,
        before: Option<u64>,
        after: Option<u64>,
        limit: usize,
        max_bytes: usize,
    ) -> Result<(Vec<EntryRow>, bool), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, at, body FROM transcript WHERE session = ?1 AND seq < ?2 AND seq > ?3
             ORDER BY seq DESC LIMIT ?4",
        )?;
        let before = before.map_or(i64::MAX, clamp);
        let after = after.map_or(0, clamp);
        let one_more = count(limit).saturating_add(1);
        let mut rows = statement.query(params![session.bind()?, before, after, one_more])?;
        let mut entries = Vec::new();
        let mut bytes = 0_usize;
        let mut older = false;
        while let Some(row) = rows.next()? {
            bytes = bytes.saturating_add(row.get_ref(2)?.as_bytes().map_or(0, <[u8]>::len));
            if entries.len() == limit || (bytes > max_bytes && !entries.is_empty()) {
                older = true;
                break;
            }
            let mut cells = Cells::of(row);
            entries.push(EntryRow { seq: cells.take()?, at: cells.take()?, body: cells.take()? });
        }
        entries.reverse();
        Ok((entries, older))
    }

    /// A session's newest finished messages, in the order in which they finished. At most `limit` messages and about
    /// `max_bytes` of text, but at least one if there is one.
    pub fn finished_messages(
        &self,
        session: SessionId,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&MessageRow::select(
            "WHERE session = ?1 AND state NOT IN ('queued', 'running')
             ORDER BY finished_at DESC, rowid DESC LIMIT ?2",
        ))?;
        let mut rows = statement.query(params![session.bind()?, count(limit)])?;
        let mut found: Vec<MessageRow> = Vec::new();
        let mut bytes = 0_usize;
        while let Some(row) = rows.next()? {
            let message = MessageRow::read(&mut Cells::of(row))?;
            bytes = bytes.saturating_add(message.text.len());
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            found.push(message);
        }
        found.reverse();
        Ok(found)
    }

    /// The message with this id.
    pub fn message(&self, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
        Ok(self.rows("WHERE id = ?1", [id.bind()?])?.pop())
    }

    /// The first messages, by id, whose ids begin with this prefix, ignoring case.
    pub fn messages_with_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<MessageRow>, StoreError> {
        let first = prefix.to_ascii_lowercase();
        let end = format!("{first}{AFTER_IDS}");
        self.rows("WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3", params![first, end, count(limit)])
    }

    /// The permission request with this id.
    pub fn permission(&self, id: PermissionId) -> Result<Option<PermissionRow>, StoreError> {
        Ok(self.rows("WHERE session = ?1 AND number = ?2", [id.session.bind()?, id.number.bind()?])?.pop())
    }

    /// The first permission requests, by session and number, whose ids begin with this prefix, ignoring case.
    pub fn permissions_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<PermissionRow>, StoreError> {
        let prefix = prefix.to_ascii_uppercase();
        let first = prefix.split('-').next().unwrap_or_default();
        let end = format!("{first}{AFTER_IDS}");
        self.rows(
            "WHERE session >= ?1 AND session < ?2
             AND substr(session || '-' || number, 1, length(?3)) = ?3
             ORDER BY session, number LIMIT ?4",
            params![first, end, prefix, count(limit)],
        )
    }

    /// The session with this id.
    pub fn session(&self, session: SessionId) -> Result<Option<SessionRow>, StoreError> {
        Ok(self.rows("WHERE id = ?1", [session.bind()?])?.pop())
    }

    /// The ids of the sessions that were removed.
    pub fn removed_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM session_ids WHERE id NOT IN (SELECT id FROM sessions) ORDER BY id",
        )?;
        collect(&mut statement, [], |cells| cells.take())
    }

    /// The environment in which the session was created.
    pub fn environment(&self, session: SessionId) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT environment FROM environments WHERE session = ?1")?;
        Ok(collect(&mut statement, [session.bind()?], |cells| cells.take())?.pop())
    }

    /// The directories that a person trusts, each with everything below it.
    pub fn trusted_directories(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT path FROM trusted_directories")?;
        collect(&mut statement, [], |cells| cells.take())
    }

    /// The keys of the session's newest launches with their numbers, the newest first.
    pub fn host_keys(&self, session: SessionId) -> Result<Vec<(u32, HostKey)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT launch, key FROM host_keys WHERE session = ?1 ORDER BY launch DESC")?;
        collect(&mut statement, [session.bind()?], |cells| Ok((cells.take()?, cells.take()?)))
    }

    /// The newest rows of the audit trail, newest first, and whether there are older ones: those with a number below
    /// `before`, whose last operation was at `since` or later, and that concern this session or were done inside it.
    pub fn audit(
        &self,
        session: Option<SessionId>,
        since: u64,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<AuditRow>, bool), StoreError> {
        let mut found: Vec<AuditRow> = self.rows(
            "WHERE (?1 IS NULL OR session = ?1 OR actor_session = ?1)
             AND coalesce(last, at) >= ?2 AND number < ?3 ORDER BY number DESC LIMIT ?4",
            params![
                session.bind()?,
                clamp(since),
                before.map_or(i64::MAX, clamp),
                count(limit).saturating_add(1)
            ],
        )?;
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    /// The numbers of sessions, messages and transcript entries. Entries are numbered without gaps, so the newest entry
    /// of each session gives their number without reading the transcript.
    pub fn totals(&self) -> Result<(u64, u64, u64), StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM messages),
                    (SELECT coalesce(sum((SELECT max(seq) FROM transcript WHERE session = sessions.id)), 0)
                     FROM sessions)",
        )?;
        let mut rows =
            collect(&mut statement, [], |cells| Ok((cells.take()?, cells.take()?, cells.take()?)))?;
        Ok(rows.pop().unwrap_or_default())
    }

    /// Reads the whole database and compares every table with its indexes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] describes the damage.
    pub fn integrity_check(&self) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(&format!("PRAGMA integrity_check({FAULTS_MAX})"))?;
        let found: Vec<String> = collect(&mut statement, [], |cells| cells.take())?;
        if found == ["ok"] { Ok(()) } else { Err(StoreError::Corrupt(found.join("; "))) }
    }

    fn rows<T: Stored>(&self, rest: &str, params: impl Params) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(&T::select(rest))?;
        collect(&mut statement, params, T::read)
    }
}

/// Limits a client's bound to the range of the database.
fn clamp(bound: u64) -> i64 {
    i64::try_from(bound).unwrap_or(i64::MAX)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
impl Reader {
    /// Begins a read that ends with this reader.
    pub(super) fn hold(&self) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN; SELECT count(*) FROM sessions")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{
        Store, audit_row, entry, entry_change, environment, message, permission, session, session_id,
    };
    use areyouj_core::orchestrator::{Actor, Change, MessageState};

    /// A store with a session and this many transcript entries.
    fn transcript(entries: u64) -> (Store, SessionId) {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        store.commit(&(1..=entries).map(|seq| entry_change(id, seq)).collect::<Vec<_>>());
        (store, id)
    }

    fn seqs(page: &(Vec<EntryRow>, bool)) -> Vec<u64> {
        page.0.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_page_has_the_newest_entries_of_the_range_from_old_to_new() {
        let (store, id) = transcript(9);
        let reader = store.reader();
        let page = |before, after, limit| {
            let page = reader.entries(id, before, after, limit, usize::MAX).unwrap();
            (seqs(&page), page.1)
        };
        assert_eq!(page(None, None, 3), (vec![7, 8, 9], true));
        assert_eq!(page(Some(7), None, 3), (vec![4, 5, 6], true));
        assert_eq!(page(Some(4), None, 3), (vec![1, 2, 3], false));
        assert_eq!(page(None, Some(6), 9), (vec![7, 8, 9], false));
        assert_eq!(page(None, Some(2), 3), (vec![7, 8, 9], true));
        assert_eq!(page(Some(6), Some(3), 9), (vec![4, 5], false));
        assert_eq!(page(None, Some(9), 3), (vec![], false));
        assert_eq!(page(Some(u64::MAX), Some(u64::MAX), 3), (vec![], false));
        assert_eq!(page(None, None, 0), (vec![], true));
    }

    #[test]
    fn a_page_respects_its_size_but_is_never_empty() {
        let (store, id) = transcript(5);
        let reader = store.reader();
        let size = serde_json::to_string(&entry(5).body).unwrap().len();
        let page = reader.entries(id, None, None, 10, 2 * size).unwrap();
        assert_eq!((seqs(&page), page.1), (vec![4, 5], true));
        let page = reader.entries(id, None, None, 10, 1).unwrap();
        assert_eq!((seqs(&page), page.1), (vec![5], true));
        let page = reader.entries(id, Some(2), None, 10, 1).unwrap();
        assert_eq!((seqs(&page), page.1), (vec![1], false));
    }

    #[test]
    fn finished_messages_are_in_the_order_of_their_end_without_the_oldest() {
        let (mut store, id) = transcript(0);
        let finish = |number, state, finished_at| {
            let row = MessageRow { state, finished_at, ..message(id, number) };
            Change::Message(Box::new(row))
        };
        store.commit(&[
            finish(1, MessageState::Done, Some(40)),
            finish(2, MessageState::Failed, Some(10)),
            finish(3, MessageState::Interrupted, Some(30)),
            finish(4, MessageState::Cancelled, Some(20)),
            finish(5, MessageState::Queued, None),
            finish(6, MessageState::Running, None),
        ]);
        let text = message(id, 1).text.len();
        let ends = |limit, bytes| -> Vec<u64> {
            let found = store.reader().finished_messages(id, limit, bytes).unwrap();
            found.iter().filter_map(|message| message.finished_at).collect()
        };
        assert_eq!(ends(3, usize::MAX), [20, 30, 40]);
        assert_eq!(ends(3, 2 * text), [30, 40]);
        assert_eq!(ends(3, 0), [40]);
        assert_eq!(store.reader().finished_messages(session_id("BBBBBBBB"), 3, usize::MAX).unwrap(), []);
    }

    #[test]
    fn a_message_is_found_by_its_id_or_a_prefix() {
        let (mut store, id) = transcript(0);
        let rows: Vec<_> = ["aaaa0000", "aaaa1111", "aaab0000"]
            .map(|start| MessageRow {
                id: format!("{start}-0000-4000-8000-000000000000").parse().unwrap(),
                ..message(id, 1)
            })
            .into();
        store.commit(&rows.iter().map(|row| Change::Message(Box::new(row.clone()))).collect::<Vec<_>>());
        let reader = store.reader();
        assert_eq!(reader.message(rows[1].id).unwrap().as_ref(), Some(&rows[1]));
        assert_eq!(reader.message(MessageId::nil()).unwrap(), None);
        assert_eq!(reader.messages_with_prefix("aaaa", 10).unwrap(), rows[..2]);
        assert_eq!(reader.messages_with_prefix("AAAA1", 10).unwrap(), rows[1..2]);
        assert_eq!(reader.messages_with_prefix("aaab0000-0000-4", 10).unwrap(), rows[2..]);
        assert_eq!(reader.messages_with_prefix("", 2).unwrap(), rows[..2]);
        assert_eq!(reader.messages_with_prefix("%", 10).unwrap(), []);
    }

    #[test]
    fn a_permission_request_is_found_by_its_id_or_a_prefix() {
        let mut store = Store::new();
        let ids = ["KAAAAAAA", "KBBBBBBB"].map(session_id);
        store.commit(&ids.map(|id| Change::Session(Box::new(session(id)))));
        let rows =
            [permission(ids[0], 1), permission(ids[0], 2), permission(ids[0], 10), permission(ids[1], 1)];
        store.commit(&rows.clone().map(|row| Change::Permission(Box::new(row))));
        let reader = store.reader();
        assert_eq!(reader.permission(rows[2].id).unwrap().as_ref(), Some(&rows[2]));
        assert_eq!(reader.permission(PermissionId { number: 9, ..rows[0].id }).unwrap(), None);
        let found = |prefix| -> Vec<String> {
            let found = reader.permissions_with_prefix(prefix, 10).unwrap();
            found.iter().map(|row| row.id.to_string()).collect()
        };
        assert_eq!(found("K"), ["KAAAAAAA-1", "KAAAAAAA-2", "KAAAAAAA-10", "KBBBBBBB-1"]);
        assert_eq!(found("ka"), ["KAAAAAAA-1", "KAAAAAAA-2", "KAAAAAAA-10"]);
        assert_eq!(found("KAAAAAAA-1"), ["KAAAAAAA-1", "KAAAAAAA-10"]);
        assert_eq!(found("KBBBBBBB-"), ["KBBBBBBB-1"]);
        assert_eq!(found("KBB-1"), Vec::<String>::new());
        assert_eq!(reader.permissions_with_prefix("K", 1).unwrap(), rows[..1]);
    }

    #[test]
    fn the_audit_trail_is_read_in_pages_from_the_newest_row() {
        let (mut store, id) = transcript(0);
        let other = session_id("BBBBBBBB");
        let mut rows = [1, 2, 3, 4].map(|number| AuditRow { number, ..audit_row(id, number) });
        rows[1] = AuditRow {
            session: None,
            actor: Actor { session: Some(other), ..Actor::default() },
            ..rows[1].clone()
        };
        rows[0].last = 9;
        store.commit(&rows.clone().map(Change::Audit));
        let numbers = |session, since, before, limit| {
            let (rows, more) = store.reader().audit(session, since, before, limit).unwrap();
            (rows.iter().map(|row| row.number).collect::<Vec<_>>(), more)
        };
        assert_eq!(numbers(None, 0, None, 3), (vec![4, 3, 2], true));
        assert_eq!(numbers(None, 0, Some(2), 3), (vec![1], false));
        assert_eq!(numbers(None, 4, None, 3), (vec![4, 1], false));
        assert_eq!(numbers(Some(id), 0, None, 9), (vec![4, 3, 1], false));
        assert_eq!(numbers(Some(other), 0, None, 9), (vec![2], false));
        store.commit(&[Change::Audit(AuditRow { count: 7, last: 8, ..rows[3].clone() })]);
        let counted = store.reader().audit(None, 0, None, 1).unwrap().0.remove(0);
        assert_eq!((counted.count, counted.last, counted.at), (7, 8, 4));
    }

    #[test]
    fn totals_count_sessions_messages_and_entries() {
        let (mut store, id) = transcript(4);
        let other = session_id("BBBBBBBB");
        store.commit(&[
            Change::Session(Box::new(session(other))),
            Change::Message(Box::new(message(id, 1))),
            entry_change(other, 1),
        ]);
        assert_eq!(store.reader().totals().unwrap(), (2, 1, 5));
    }

    #[test]
    fn an_environment_is_stored_with_its_session() {
        let (mut store, id) = transcript(0);
        assert_eq!(store.reader().environment(id).unwrap(), None);
        store.commit(&[Change::Environment { session: id, environment: environment() }]);
        assert_eq!(store.reader().environment(id).unwrap(), Some(environment()));
    }

    #[test]
    fn a_trusted_directory_is_stored_once() {
        let mut store = Store::new();
        let trusted =
            |at| Change::Trusted { directory: "/project".to_owned(), at, by: "a person".to_owned() };
        assert_eq!(store.reader().trusted_directories(), Ok(vec![]));
        store.commit(&[trusted(1)]);
        store.commit(&[trusted(2)]);
        assert_eq!(store.reader().trusted_directories(), Ok(vec!["/project".to_owned()]));
    }

    #[test]
    fn searching_for_the_prefix_of_an_id_uses_an_index() {
        let store = Store::new();
        let messages = store.plan(&MessageRow::select("WHERE id >= 'a' AND id < 'a~' ORDER BY id LIMIT 5"));
        assert_eq!(messages, ["SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id>? AND id<?)"]);
        let finished = store.plan(&MessageRow::select(
            "WHERE session = 'A' AND state NOT IN ('queued', 'running')
             ORDER BY finished_at DESC, rowid DESC LIMIT 5",
        ));
        assert_eq!(finished, ["SEARCH messages USING INDEX messages_finished (session=?)"]);
    }

    #[test]
    fn an_intact_database_passes_the_integrity_check() {
        let (store, _) = transcript(100);
        assert_eq!(store.reader().integrity_check(), Ok(()));
    }
}
