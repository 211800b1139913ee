//! The schema, and the migrations from older versions.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// The first version whose deletions overwrite what they delete.
const OVERWRITES: u32 = 4;

/// A database of an older version is rewritten once, so that nothing remains of what it deleted without overwriting it.
/// A larger one is not: the clients that wait for the daemon would give up, and the disk might not hold it twice.
const REWRITE_MAX_BYTES: u64 = 256 << 20;

/// The migrations from version N to version N + 1, by N. A shipped migration must never be edited, because databases
/// that it created exist. A change that an older program cannot read, such as a new kind of transcript entry, also
/// needs a migration, even an empty one, so that the older program rejects the database.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
];

/// The schema version that this program writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Migrates the database to [`VERSION`], each step in a separate transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let from: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (version, migration) in (1..=VERSION).zip(MIGRATIONS).skip(from as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    if (1..OVERWRITES).contains(&from) {
        // Without the space for it, the rests of earlier deletions remain until their pages are used again.
        let _ = rewrite(connection);
    }
    Ok(())
}

/// Rewrites a database, unless it is large. An error leaves it as it was.
fn rewrite(connection: &Connection) -> Result<(), StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = pragma("page_count")?.saturating_mul(pragma("page_size")?);
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= REWRITE_MAX_BYTES) {
        connection.execute_batch("VACUUM")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Stored, collect};
    use areyouj_core::orchestrator::{Actor, AuditRow};

    #[test]
    fn a_shipped_migration_is_never_edited() {
        let sums: Vec<u32> = MIGRATIONS.iter().map(|sql| crc32fast::hash(sql.as_bytes())).collect();
        assert_eq!(
            sums,
            [
                0x5398_1896,
                0x5c52_9a2f,
                0xa4dd_4c35,
                0x1eb4_43dd,
                0x65d9_01ad,
                0xef16_f7aa,
                0x813e_8be8,
                0x7316_d6fc
            ],
            "add a migration instead of editing one"
        );
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let schema = |connection: &Connection| -> Vec<String> {
            let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
            let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            rows.map(|row| row.unwrap().unwrap_or_default()).collect()
        };
        let before = schema(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(schema(&connection), before);
    }

    #[test]
    fn an_entry_of_the_audit_trail_of_an_older_version_has_an_unknown_actor() {
        let mut connection = Connection::open_in_memory().unwrap();
        for migration in &MIGRATIONS[..3] {
            connection.execute_batch(migration).unwrap();
        }
        connection.pragma_update(None, "user_version", 3).unwrap();
        let row = "INSERT INTO audit (at, by, operation, outcome) VALUES (7, 'cli', 'session/create', 'ok')";
        connection.execute_batch(row).unwrap();
        migrate(&mut connection).unwrap();
        let mut statement = connection.prepare(&AuditRow::select("")).unwrap();
        let row = collect(&mut statement, [], AuditRow::read).unwrap().pop().unwrap();
        assert_eq!((row.number, row.at, row.last, row.count), (1, 7, 7, 1));
        assert_eq!((row.actor, row.by.as_str()), (Actor::default(), "cli"));
    }

    #[test]
    fn a_session_of_an_older_version_has_a_record_if_one_of_its_messages_finished() {
        for (state, recorded) in [
            ("queued", false),
            ("interrupted", false),
            ("cancelled", false),
            ("failed", true),
            ("done", true),
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            for migration in &MIGRATIONS[..2] {
                connection.execute_batch(migration).unwrap();
            }
            connection.pragma_update(None, "user_version", 2).unwrap();
            let finished_at = if state == "queued" { "NULL" } else { "2" };
            let rows = format!(
                "INSERT INTO sessions VALUES ('AAAAAAAA', '/project', NULL, 'stream', NULL, NULL, NULL, NULL, 'c', 1, 1,
                    'run', 1, 0, NULL, NULL, 1, 'idle', 1, 'control', NULL, NULL, NULL, NULL, NULL, 0.0, 0.0, NULL,
                    NULL, 0, 0, 0, NULL, 0, 0, 0, NULL);
                 INSERT INTO messages VALUES ('m', 'AAAAAAAA', 'hello', '{state}', 0, 0, 1, 1, 1, 1, {finished_at}, NULL);"
            );
            connection.execute_batch(&rows).unwrap();
            migrate(&mut connection).unwrap();
            let found: bool =
                connection.query_row("SELECT recorded FROM sessions", [], |row| row.get(0)).unwrap();
            assert_eq!(found, recorded, "{state}");
        }
    }

    #[test]
    fn a_database_of_an_older_version_loses_the_environments_of_terminated_sessions_and_the_rests_of_deletions()
     {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        let old = Connection::open(&path).unwrap();
        old.pragma_update(None, "secure_delete", false).unwrap();
        for migration in &MIGRATIONS[..3] {
            old.execute_batch(migration).unwrap();
        }
        old.pragma_update(None, "user_version", 3).unwrap();
        let row = |id: &str, status: &str| {
            format!(
                "INSERT INTO sessions VALUES ('{id}', '/project', NULL, 'stream', NULL, NULL, NULL, NULL, '{id}', 1, 1,
                    'run', 1, 0, NULL, NULL, 1, '{status}', 1, 'control', NULL, NULL, NULL, NULL, NULL, 0.0, 0.0, NULL,
                    NULL, 0, 0, 0, NULL, 0, 0, 0, NULL, 0);
                 INSERT INTO environments VALUES ('{id}', '{{\"TOKEN\":\"secret-of-{id}\"}}');"
            )
        };
        for (id, status) in [("AAAAAAAA", "idle"), ("BBBBBBBB", "terminated"), ("CCCCCCCC", "idle")] {
            old.execute_batch(&row(id, status)).unwrap();
        }
        old.execute_batch("DELETE FROM environments WHERE session = 'CCCCCCCC'").unwrap();
        drop(old);
        let has = |text: &str| {
            let bytes = std::fs::read(&path).unwrap();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        };
        assert!(has("secret-of-BBBBBBBB") && has("secret-of-CCCCCCCC"));
        let mut connection = crate::connection::open_for_writing(&path).unwrap();
        migrate(&mut connection).unwrap();
        drop(connection);
        assert!(has("secret-of-AAAAAAAA"));
        assert!(!has("secret-of-BBBBBBBB") && !has("secret-of-CCCCCCCC"));
    }
}
