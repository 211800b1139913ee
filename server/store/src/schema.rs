//! The tables, and how a database of an older version becomes one of this version.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// What turns a database of version N into one of version N + 1, by N. A shipped entry is never edited: databases
/// that it made exist. Whoever adds something that an older program cannot read, a new kind of transcript entry for
/// one, adds a migration too, if only an empty one, so that the older program refuses the database.
const MIGRATIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// The version of the databases that this program writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings the database to [`VERSION`], each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let from: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (version, migration) in (1..=VERSION).zip(MIGRATIONS).skip(from as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipped_migration_is_never_edited() {
        let sums: Vec<u32> = MIGRATIONS.iter().map(|sql| crc32fast::hash(sql.as_bytes())).collect();
        assert_eq!(sums, [0x5398_1896, 0x5c52_9a2f, 0xa4dd_4c35], "add a migration instead of editing one");
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
    fn a_session_of_an_older_version_has_a_record_if_one_of_its_messages_came_to_its_end() {
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
}
