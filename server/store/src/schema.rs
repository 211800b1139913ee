//! The schema, and the migrations from older versions.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// The migrations from version N to version N + 1, by N. A shipped migration must never be edited, because databases
/// that it created exist. A change that an older program cannot read, such as a new kind of transcript entry, also
/// needs a migration, even an empty one, so that the older program rejects the database.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipped_migration_is_never_edited() {
        let sums: Vec<u32> = MIGRATIONS.iter().map(|sql| crc32fast::hash(sql.as_bytes())).collect();
        assert_eq!(
            sums,
            [0x5398_1896, 0x5c52_9a2f, 0xa4dd_4c35, 0x813e_8be8],
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
}
