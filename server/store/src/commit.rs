//! Makes the changes of a step durable, all or none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params, params_from_iter};

use super::StoreError;
use super::cell::Cell;
use super::rows::Stored;
use super::scrub;
use areyouj_core::orchestrator::{AuditRow, Change, EntryRow, MessageRow, PermissionRow, SessionRow};

/// The number of client requests to remember. A client repeats a request within seconds of a daemon restart; this many
/// requests cover hours of heavy use.
pub(super) const REQUESTS_KEPT: u64 = 10_000;

/// Old requests are deleted in steps of this many: the cost of a deletion is negligible, and the table stays small.
const REQUESTS_PRUNED_EVERY: u64 = 1_000;

/// The number of rows of the audit trail that are kept: months of a person's work, and about 10 MB.
pub(super) const AUDIT_KEPT: u64 = 50_000;

/// Old rows of the audit trail are deleted in steps of this many.
const AUDIT_PRUNED_EVERY: u64 = 1_000;

/// The keys of so many launches of a session are kept: the host of a launch can outlive it by the failed starts that
/// follow, of which there are at most five in a row.
const KEYS_KEPT: i64 = 8;

/// Space for every statement of this file, so that each is compiled once.
const CACHED_STATEMENTS: usize = 16;

/// The one connection that writes.
pub struct Committer {
    connection: Connection,
    database: PathBuf,
    statements: Statements,
    /// Deleted rows are still in the write-ahead log.
    unscrubbed: bool,
}

/// For each table, the statements that insert and update a row, generated from the list of columns.
struct Statements {
    session: [String; 2],
    message: [String; 2],
    permission: [String; 2],
    audit: String,
}

impl Committer {
    pub(super) fn new(connection: Connection, database: &Path) -> Committer {
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        let statements = Statements {
            session: [SessionRow::insert(), SessionRow::update()],
            message: [MessageRow::insert(), MessageRow::update()],
            permission: [PermissionRow::insert(), PermissionRow::update()],
            audit: AuditRow::insert(),
        };
        Committer { connection, database: database.to_owned(), statements, unscrubbed: true }
    }

    /// Makes the changes durable, in this order and in one transaction.
    ///
    /// Committing a change again is safe: it replaces the row. A repeated transcript entry replaces the first one,
    /// because the daemon has the later one in memory and has sent it to its clients. A repeated request keeps the
    /// first one, which was already answered. A repeated row of the audit trail updates how many operations share it.
    ///
    /// # Errors
    ///
    /// After an error, none of the changes is on disk.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.commit_all(changes.iter())
    }

    /// Like [`Committer::commit`], for changes that are not in one slice.
    pub(super) fn commit_all<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a Change> + Clone,
    ) -> Result<(), StoreError> {
        // If a transaction has several rows of one session, only the last one would be visible, so only that one is
        // written.
        let mut last_rows = HashMap::new();
        for (index, change) in changes.clone().enumerate() {
            if let Change::Session(row) = change {
                last_rows.insert(row.id, index);
            }
        }
        let deletes =
            |change: &Change| matches!(change, Change::SessionRemoved(_) | Change::EnvironmentRemoved(_));
        let delete = changes.clone().any(deletes);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (index, change) in changes.enumerate() {
            if let Change::Session(row) = change
                && last_rows.get(&row.id) != Some(&index)
            {
                continue;
            }
            apply(&transaction, &self.statements, change)?;
        }
        transaction.commit()?;
        if delete {
            self.scrub();
        } else if self.unscrubbed {
            self.scrub_within(Duration::ZERO);
        }
        Ok(())
    }

    /// Removes deleted rows from the write-ahead log. The changes are durable already, so what fails here is left to a
    /// later commit.
    pub(super) fn scrub(&mut self) {
        self.scrub_within(scrub::READERS_WAIT);
    }

    fn scrub_within(&mut self, readers: Duration) {
        let emptied = scrub::empty_log(&self.connection, &self.database, readers);
        self.unscrubbed = !matches!(emptied, Ok(true));
    }
}

fn apply(connection: &Connection, statements: &Statements, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Session(row) => {
            let [insert, update] = &statements.session;
            // The row exists, except the first time.
            if execute(connection, update, row.as_ref())? == 0 {
                connection
                    .prepare_cached("INSERT OR IGNORE INTO session_ids (id) VALUES (?1)")?
                    .execute([row.id.bind()?])?;
                execute(connection, insert, row.as_ref())?;
            }
        }
        Change::Message(row) => write(connection, &statements.message, row.as_ref())?,
        Change::Permission(row) => write(connection, &statements.permission, row.as_ref())?,
        Change::Environment { session, environment } => {
            connection
                .prepare_cached(
                    "INSERT INTO environments (session, environment) VALUES (?1, ?2)
                     ON CONFLICT (session) DO UPDATE SET environment = excluded.environment",
                )?
                .execute([session.bind()?, environment.bind()?])?;
        }
        Change::EnvironmentRemoved(session) => {
            connection
                .prepare_cached("DELETE FROM environments WHERE session = ?1")?
                .execute([session.bind()?])?;
        }
        Change::HostKey { session, launch, key } => {
            connection
                .prepare_cached("DELETE FROM host_keys WHERE session = ?1 AND launch <= ?2")?
                .execute(params![session.bind()?, i64::from(*launch) - KEYS_KEPT])?;
            connection
                .prepare_cached(
                    "INSERT INTO host_keys (session, launch, key) VALUES (?1, ?2, ?3)
                     ON CONFLICT (session, launch) DO UPDATE SET key = excluded.key",
                )?
                .execute(params![session.bind()?, i64::from(*launch), key.bind()?])?;
        }
        Change::SessionRemoved(session) => {
            connection.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([session.bind()?])?;
        }
        Change::Entry { session, entry: EntryRow { seq, at, body } } => {
            connection
                .prepare_cached(
                    "INSERT INTO transcript (session, seq, at, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (session, seq) DO UPDATE SET at = excluded.at, body = excluded.body",
                )?
                .execute([session.bind()?, seq.bind()?, at.bind()?, body.bind()?])?;
        }
        Change::Trusted { directory, at, by } => {
            connection
                .prepare_cached(
                    "INSERT INTO trusted_directories (path, at, by) VALUES (?1, ?2, ?3)
                     ON CONFLICT (path) DO UPDATE SET at = excluded.at, by = excluded.by",
                )?
                .execute([directory.bind()?, at.bind()?, by.bind()?])?;
        }
        Change::Request { key, subject, at } => remember(connection, key, subject, *at)?,
        Change::Audit(row) => audit(connection, &statements.audit, row)?,
    }
    Ok(())
}

/// Inserts or updates a row.
fn write(
    connection: &Connection,
    [insert, update]: &[String; 2],
    row: &impl Stored,
) -> Result<(), StoreError> {
    if execute(connection, insert, row)? == 0 {
        execute(connection, update, row)?;
    }
    Ok(())
}

/// Executes a statement with a row's values; returns the number of rows written.
fn execute(connection: &Connection, statement: &str, row: &impl Stored) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(statement)?.execute(params_from_iter(row.cells()?))?)
}

/// Rows of the audit trail are numbered without gaps, too.
fn audit(connection: &Connection, insert: &str, row: &AuditRow) -> Result<(), StoreError> {
    if execute(connection, insert, row)? == 0 {
        connection.prepare_cached("UPDATE audit SET last = ?2, count = ?3 WHERE number = ?1")?.execute([
            row.number.bind()?,
            row.last.bind()?,
            row.count.bind()?,
        ])?;
    } else if row.number > AUDIT_KEPT && row.number.is_multiple_of(AUDIT_PRUNED_EVERY) {
        connection
            .prepare_cached("DELETE FROM audit WHERE number <= ?1")?
            .execute([(row.number - AUDIT_KEPT).bind()?])?;
    }
    Ok(())
}

/// Requests are numbered without gaps, because only the oldest ones are deleted. So the number of a new request
/// determines both when to delete and how many.
fn remember(connection: &Connection, key: &String, subject: &String, at: u64) -> Result<(), StoreError> {
    let number = connection
        .prepare_cached(
            "INSERT INTO requests (key, subject, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO NOTHING RETURNING number",
        )?
        .query_row(params![key, subject, at.bind()?], |row| row.get::<_, i64>(0))
        .optional()?;
    let number = number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    if number > REQUESTS_KEPT && number.is_multiple_of(REQUESTS_PRUNED_EVERY) {
        connection
            .prepare_cached("DELETE FROM requests WHERE number <= ?1")?
            .execute([(number - REQUESTS_KEPT).bind()?])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{
        Store, audit_row, bare_message, bare_permission, bare_session, entries_of_every_kind, entry,
        entry_change, environment, message, permission, session, session_id,
    };
    use areyouj_core::orchestrator::{HostKey, PermissionId, SessionId};

    /// One change of every kind, for one session.
    fn one_of_each(id: SessionId) -> Vec<Change> {
        vec![
            Change::Environment { session: id, environment: environment() },
            Change::HostKey { session: id, launch: 3, key: HostKey([7; 32]) },
            Change::Message(Box::new(message(id, 1))),
            Change::Permission(Box::new(permission(id, 1))),
            entry_change(id, 1),
            Change::Session(Box::new(session(id))),
            Change::Request { key: "key".to_owned(), subject: format!("session/create {id}"), at: 5 },
            Change::Audit(audit_row(id, 5)),
        ]
    }

    #[test]
    fn every_row_is_read_as_it_was_committed() {
        let mut store = Store::new();
        let full = session_id("AAAAAAAA");
        let bare = session_id("BBBBBBBB");
        store.commit(&one_of_each(full));
        store.commit(&[
            Change::Session(Box::new(bare_session(bare))),
            Change::Message(Box::new(bare_message(bare, 2))),
            Change::Permission(Box::new(bare_permission(bare, 1))),
        ]);
        let snapshot = store.reopen();
        assert_eq!(snapshot.sessions, [session(full), bare_session(bare)]);
        assert_eq!(snapshot.used_ids, [full, bare]);
        let accepted = |id, number| (message(id, number).id.to_string(), format!("queue/add {id}"));
        let created = ("key".to_owned(), format!("session/create {full}"));
        let mut requests = snapshot.requests;
        requests.sort_unstable();
        assert_eq!(requests, [accepted(full, 1), accepted(bare, 2), created]);
        let reader = store.reader();
        for row in [message(full, 1), bare_message(bare, 2)] {
            assert_eq!(reader.message(row.id), Ok(Some(row)));
        }
        for row in [permission(full, 1), bare_permission(bare, 1)] {
            assert_eq!(reader.permission(row.id), Ok(Some(row)));
        }
        assert_eq!(reader.entries(full, None, None, 9, usize::MAX), Ok((vec![entry(1)], false)));
        assert_eq!(reader.environment(full), Ok(Some(environment())));
        assert_eq!(reader.audit(None, 0, None, 9), Ok((vec![audit_row(full, 5)], false)));
        assert_eq!(reader.host_keys(full), Ok(vec![(3, HostKey([7; 32]))]));
    }

    #[test]
    fn every_kind_of_transcript_entry_is_read_as_it_was_committed() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        let entries = entries_of_every_kind();
        store.commit(&[Change::Session(Box::new(session(id)))]);
        let changes = entries.iter().map(|entry| Change::Entry { session: id, entry: entry.clone() });
        store.commit(&changes.collect::<Vec<_>>());
        assert_eq!(store.reader().entries(id, None, None, 99, usize::MAX), Ok((entries, false)));
    }

    #[test]
    fn the_keys_of_the_newest_launches_are_kept() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        for launch in 1..=20 {
            store.commit(&[Change::HostKey { session: id, launch, key: HostKey([launch as u8; 32]) }]);
        }
        let launches: Vec<u32> =
            store.reader().host_keys(id).unwrap().into_iter().map(|(launch, _)| launch).collect();
        assert_eq!(launches, [20, 19, 18, 17, 16, 15, 14, 13]);
    }

    #[test]
    fn committing_the_same_changes_again_changes_nothing() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&one_of_each(id));
        let before = store.dump();
        store.commit(&one_of_each(id));
        store.commit(&one_of_each(id));
        assert_eq!(store.dump(), before);
    }

    #[test]
    fn a_later_row_replaces_an_earlier_one_and_a_repeated_request_keeps_its_first_answer() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&one_of_each(id));
        let request =
            |subject: &str| Change::Request { key: "key".to_owned(), subject: subject.to_owned(), at: 9 };
        store.commit(&[
            Change::Session(Box::new(bare_session(id))),
            Change::Message(Box::new(MessageRow { id: message(id, 1).id, ..bare_message(id, 1) })),
            Change::Permission(Box::new(bare_permission(id, 1))),
            Change::Entry { session: id, entry: EntryRow { at: 7, ..entry(1) } },
            request("another"),
        ]);
        let snapshot = store.reopen();
        assert_eq!(snapshot.sessions, [bare_session(id)]);
        let of_key = snapshot.requests.into_iter().filter(|(key, _)| key == "key");
        assert_eq!(of_key.collect::<Vec<_>>(), [("key".to_owned(), format!("session/create {id}"))]);
        let reader = store.reader();
        assert_eq!(reader.message(message(id, 1).id).unwrap().unwrap().error, None);
        assert_eq!(
            reader.permission(PermissionId { session: id, number: 1 }),
            Ok(Some(bare_permission(id, 1)))
        );
        let (entries, _) = reader.entries(id, None, None, 9, usize::MAX).unwrap();
        assert_eq!(entries, [EntryRow { at: 7, ..entry(1) }]);
    }

    #[test]
    fn the_id_the_requests_and_the_audit_trail_of_a_deleted_session_remain() {
        let mut store = Store::new();
        let ids = ["AAAAAAAA", "BBBBBBBB"].map(session_id);
        store.commit(&one_of_each(ids[0]));
        store.commit(&[Change::Session(Box::new(session(ids[1]))), entry_change(ids[1], 1)]);
        store.commit(&[Change::SessionRemoved(ids[0])]);
        let snapshot = store.reopen();
        assert_eq!(snapshot.sessions, [session(ids[1])]);
        assert_eq!(snapshot.used_ids, ids);
        assert_eq!(snapshot.requests.len(), 1);
        let reader = store.reader();
        assert_eq!(reader.totals(), Ok((1, 0, 1)));
        assert_eq!(reader.removed_sessions(), Ok(vec![ids[0]]));
        assert_eq!(reader.permission(permission(ids[0], 1).id), Ok(None));
        assert_eq!(reader.environment(ids[0]), Ok(None));
        assert_eq!(reader.host_keys(ids[0]), Ok(vec![]));
        assert_eq!(reader.entries(ids[0], None, None, 9, usize::MAX), Ok((vec![], false)));
        assert_eq!(reader.audit(Some(ids[0]), 0, None, 9), Ok((vec![audit_row(ids[0], 5)], false)));
    }

    #[test]
    fn only_the_newest_rows_of_the_audit_trail_are_kept() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        let row = |number| Change::Audit(AuditRow { number, ..audit_row(id, number) });
        let rows: Vec<Change> = (1..=AUDIT_KEPT + AUDIT_PRUNED_EVERY).map(row).collect();
        store.commit(&rows);
        let (found, more) = store.reader().audit(None, 0, None, rows.len()).unwrap();
        assert_eq!((found.len() as u64, more), (AUDIT_KEPT, false));
        assert_eq!(found.last().map(|row| row.number), Some(AUDIT_PRUNED_EVERY + 1));
        assert_eq!(store.reopen().audit, AUDIT_KEPT + AUDIT_PRUNED_EVERY);
    }

    #[test]
    fn the_cost_of_updating_a_session_does_not_grow_with_its_transcript() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&one_of_each(id));
        let mut steps = || {
            let Committer { connection, statements, .. } = store.committer();
            apply(connection, statements, &Change::Session(Box::new(session(id)))).unwrap();
            let statement = connection.prepare_cached(&statements.session[1]).unwrap();
            let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
            drop(statement);
            store.commit(&(1..=1_000).map(|seq| entry_change(id, seq)).collect::<Vec<_>>());
            steps
        };
        assert!(steps() > 0);
        assert_eq!(steps(), steps());
    }

    #[test]
    fn changes_are_committed_all_or_none() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        let before = store.dump();
        let rejected = [
            // An entry of a session that does not exist.
            entry_change(session_id("BBBBBBBB"), 1),
            // A number that does not fit into a column.
            entry_change(id, u64::MAX),
        ];
        for change in rejected {
            let outcome = store.committer().commit(&[entry_change(id, 1), change]);
            assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
            assert_eq!(store.dump(), before);
        }
        store.commit(&[entry_change(id, 1)]);
        assert_eq!(store.reader().totals(), Ok((1, 0, 1)));
    }

    #[test]
    fn a_full_disk_is_reported_and_nothing_is_written_partially() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        let connection = &store.committer().connection;
        let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let limit = |connection: &Connection, pages: u32| {
            let _: u32 =
                connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0)).unwrap();
        };
        limit(connection, pages + 4);
        let before = store.dump();
        let many: Vec<_> = (1..=2_000).map(|seq| entry_change(id, seq)).collect();
        assert_eq!(store.committer().commit(&many), Err(StoreError::Full));
        assert_eq!(store.dump(), before);
        limit(&store.committer().connection, u32::MAX - 1);
        store.commit(&many);
        assert_eq!(store.reader().totals(), Ok((1, 0, 2_000)));
        assert_eq!(store.reader().integrity_check(), Ok(()));
    }

    #[test]
    fn only_the_oldest_requests_are_deleted() {
        let mut store = Store::new();
        let request =
            |number: u64| Change::Request { key: format!("{number}"), subject: String::new(), at: 1 };
        let all = REQUESTS_KEPT + 2 * REQUESTS_PRUNED_EVERY + 1;
        store.commit(&(1..=all).map(request).collect::<Vec<_>>());
        let kept = store.reopen().requests;
        assert_eq!(kept.len() as u64, REQUESTS_KEPT);
        assert_eq!(kept.first().unwrap().0, (all - REQUESTS_KEPT + 1).to_string());
        assert_eq!(kept.last().unwrap().0, all.to_string());
        let stored: u64 = store
            .committer()
            .connection
            .query_row("SELECT count(*) FROM requests", [], |row| row.get::<_, i64>(0))
            .unwrap()
            .unsigned_abs();
        assert_eq!(stored, REQUESTS_KEPT + 1, "requests are deleted in steps");
    }
}
