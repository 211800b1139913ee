//! Reads the snapshot with which a daemon starts. Of finished work it reads only the ids of the latest messages, so the
//! duration of a start does not depend on the size of the transcripts.

use rusqlite::Connection;

use super::StoreError;
use super::cell::Cell;
use super::commit::REQUESTS_KEPT;
use super::rows::{Stored, collect};
use areyouj_core::orchestrator::{MessageRow, PermissionRow, SessionRow, Snapshot};

const SESSIONS: &str = "ORDER BY created_at, id";
const OPEN_MESSAGES: &str = "WHERE session IN (SELECT id FROM sessions) AND finished_at IS NULL
    AND state IN ('queued', 'running') ORDER BY session, rank";
const PAUSE_MESSAGES: &str = "WHERE state NOT IN ('queued', 'running')
    AND id IN (SELECT pause_message FROM sessions WHERE pause_message IS NOT NULL) ORDER BY session, rank";
// The exact condition of the partial index: otherwise SQLite does not use it.
const OPEN_PERMISSIONS: &str =
    "WHERE state = 'open' OR (state = 'answered' AND delivered = 0) ORDER BY session, number";
const USED_IDS: &str = "SELECT id FROM session_ids";
// An accepted message is also a completed request.
const REQUESTS: &str = "SELECT key, subject FROM (
        SELECT * FROM (SELECT key, subject, at, number FROM requests ORDER BY number DESC LIMIT ?1)
        UNION ALL
        SELECT * FROM (SELECT id, 'queue/add ' || session, created_at, rowid FROM messages ORDER BY rowid DESC LIMIT ?1)
    ) ORDER BY at DESC, number DESC LIMIT ?1";

const NEWEST_AUDIT: &str = "SELECT coalesce(max(number), 0) FROM audit";

/// Reads the snapshot. Sessions, and the messages and permission requests of a session, are in order of creation;
/// client requests are from oldest to newest.
pub(super) fn snapshot(connection: &Connection) -> Result<Snapshot, StoreError> {
    let mut messages: Vec<MessageRow> = rows(connection, OPEN_MESSAGES)?;
    messages.extend(rows::<MessageRow>(connection, PAUSE_MESSAGES)?);
    let mut requests = collect(&mut connection.prepare(REQUESTS)?, [REQUESTS_KEPT.bind()?], |cells| {
        Ok((cells.take()?, cells.take()?))
    })?;
    requests.reverse();
    Ok(Snapshot {
        sessions: rows::<SessionRow>(connection, SESSIONS)?,
        messages,
        permissions: rows::<PermissionRow>(connection, OPEN_PERMISSIONS)?,
        used_ids: collect(&mut connection.prepare(USED_IDS)?, [], |cells| cells.take())?,
        requests,
        audit: collect(&mut connection.prepare(NEWEST_AUDIT)?, [], |cells| cells.take())?
            .pop()
            .unwrap_or_default(),
    })
}

fn rows<T: Stored>(connection: &Connection, rest: &str) -> Result<Vec<T>, StoreError> {
    collect(&mut connection.prepare(&T::select(rest))?, [], T::read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Store, bare_session, message, permission, session, session_id};
    use areyouj_core::orchestrator::{Answer, Change, ErrorCode, MessageState, PermissionState, Problem};

    #[test]
    fn a_new_database_is_empty() {
        let snapshot = Store::new().reopen();
        assert!(
            snapshot.sessions.is_empty() && snapshot.messages.is_empty() && snapshot.permissions.is_empty()
        );
        assert!(snapshot.used_ids.is_empty() && snapshot.requests.is_empty());
    }

    #[test]
    fn a_start_reads_open_messages_and_those_that_caused_a_pause() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        let states = [
            MessageState::Queued,
            MessageState::Running,
            MessageState::Done,
            MessageState::Failed,
            MessageState::Interrupted,
            MessageState::Cancelled,
        ];
        let rows: Vec<_> = (0..)
            .zip(states)
            .map(|(number, state)| {
                let open = matches!(state, MessageState::Queued | MessageState::Running);
                let finished_at = (!open).then_some(3);
                MessageRow { state, finished_at, rank: -i64::from(number), ..message(id, number) }
            })
            .collect();
        store.commit(
            &rows
                .iter()
                .map(|row| Change::Message(Box::new(row.clone())))
                .chain([Change::Session(Box::new(SessionRow {
                    pause_message: Some(rows[4].id),
                    ..bare_session(id)
                }))])
                .collect::<Vec<_>>(),
        );
        let found: Vec<_> = store.reopen().messages.into_iter().map(|row| row.state).collect();
        assert_eq!(found, [MessageState::Running, MessageState::Queued, MessageState::Interrupted]);

        let waiting = SessionRow { pause_message: Some(rows[0].id), ..bare_session(id) };
        store.commit(&[Change::Session(Box::new(waiting))]);
        assert_eq!(store.reopen().messages.len(), 2, "an open message is read once");
    }

    #[test]
    fn a_start_reads_permission_requests_that_are_open_or_have_an_undelivered_answer() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        let kinds = [
            (PermissionState::Open, false),
            (PermissionState::Answered, false),
            (PermissionState::Answered, true),
            (PermissionState::Withdrawn, false),
        ];
        let rows: Vec<_> = (1..)
            .zip(kinds)
            .map(|(number, (state, delivered))| PermissionRow {
                state,
                delivered,
                answer: Some(Answer::Allow),
                ..permission(id, number)
            })
            .collect();
        store.commit(
            &rows
                .iter()
                .map(|row| Change::Permission(Box::new(row.clone())))
                .chain([Change::Session(Box::new(bare_session(id)))])
                .collect::<Vec<_>>(),
        );
        assert_eq!(store.reopen().permissions, rows[..2]);
    }

    #[test]
    fn the_problem_of_a_session_is_read_as_an_earlier_version_wrote_it() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        store.close();
        let written = r#"{"code":"login_needed","message":"No login.","hint":"Log in.","log":"401"}"#;
        let connection = Connection::open(store.path()).unwrap();
        connection.execute("UPDATE sessions SET error = ?1", [written]).unwrap();
        drop(connection);
        let expected = Problem {
            log: Some("401".to_owned()),
            ..Problem::new(ErrorCode::LoginNeeded, "No login.", "Log in.")
        };
        let row = SessionRow { error: Some(expected), ..session(id) };
        assert_eq!(store.reopen().sessions, std::slice::from_ref(&row));

        store.commit(&[Change::Session(Box::new(row.clone()))]);
        assert_eq!(store.reopen().sessions, [row]);
    }

    #[test]
    fn a_start_uses_indexes_and_never_reads_finished_work() {
        let store = Store::new();
        let plans = [
            store.plan(&MessageRow::select(OPEN_MESSAGES)),
            store.plan(&MessageRow::select(PAUSE_MESSAGES)),
            store.plan(&PermissionRow::select(OPEN_PERMISSIONS)),
        ];
        for step in plans.iter().flatten() {
            let short = step.starts_with("SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)")
                || step.starts_with("SEARCH messages USING INDEX messages_finished (session=? AND finished_at=?)")
                || step.starts_with("SCAN permissions USING INDEX permissions_open")
                // A start reads all sessions in any case.
                || step.starts_with("SCAN sessions")
                || !(step.contains("SCAN") || step.contains("SEARCH"));
            assert!(short, "{plans:#?}");
        }
    }
}
