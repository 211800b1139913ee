//! The ceiling of durable messages: SQLite as the store uses it, with nothing around it. One thread commits what comes
//! in from threads that each wait until theirs is on disk; no JSON, no sockets, no rules.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, anyhow};
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

use super::enqueue::TEXT_BYTES;

/// As the store's messages, with what refers to them.
const SCHEMA: &str = "
    CREATE TABLE messages (
        id TEXT NOT NULL PRIMARY KEY,
        session TEXT NOT NULL,
        text TEXT NOT NULL,
        state TEXT NOT NULL,
        rank INTEGER NOT NULL,
        steer INTEGER NOT NULL,
        handed INTEGER NOT NULL,
        started INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER,
        error TEXT
    ) STRICT;
    CREATE INDEX messages_finished ON messages (session, finished_at);";

/// As the store's: the log is copied into the database when it has this many pages.
const LOG_PAGES: u32 = 4096;

const INSERT: &str = "INSERT INTO messages VALUES (?1, ?2, ?3, 'queued', ?4, 0, 0, 0, ?5, NULL, NULL, NULL)";

/// A message, and whom to tell that it is on disk.
type Message = (String, Sender<()>);

/// A database with nothing around it.
pub(super) struct BareSqlite {
    connection: Mutex<Connection>,
}

impl BareSqlite {
    pub(super) fn create(path: &Path) -> Result<BareSqlite> {
        let connection = Connection::open(path)?;
        let _: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        connection.execute_batch(SCHEMA)?;
        Ok(BareSqlite { connection: Mutex::new(connection) })
    }

    /// That many threads with that many messages each; messages a second.
    pub(super) fn round(&self, producers: usize, each: usize) -> Result<f64> {
        let barrier = Barrier::new(producers + 1);
        let (sender, receiver) = channel::<Message>();
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        std::thread::scope(|scope| {
            for _ in 0..producers {
                let (sender, barrier) = (sender.clone(), &barrier);
                scope.spawn(move || {
                    let ids: Vec<String> = (0..each).map(|_| Uuid::new_v4().to_string()).collect();
                    barrier.wait();
                    for id in ids {
                        let (done, wait) = channel();
                        // The end of the one who commits is told by that one.
                        if sender.send((id, done)).is_err() || wait.recv().is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            barrier.wait();
            let begin = Instant::now();
            let committed = commit_all(&mut connection, &receiver)?;
            drop(receiver);
            if committed != producers * each {
                return Err(anyhow!("{committed} messages were committed"));
            }
            Ok(committed as f64 / begin.elapsed().as_secs_f64())
        })
    }
}

/// Commits what has come in, in one transaction, again and again; how many messages.
fn commit_all(connection: &mut Connection, messages: &Receiver<Message>) -> Result<usize> {
    let text = "x".repeat(TEXT_BYTES);
    let mut count = 0;
    while let Ok(first) = messages.recv() {
        let mut group = vec![first];
        group.extend(messages.try_iter());
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (id, _) in &group {
            let session = format!("SESSION{}", count % 10);
            let values = params![id, session, text, (count as i64) << 20, 1_700_000_000_000_i64];
            transaction.prepare_cached(INSERT)?.execute(values)?;
            count += 1;
        }
        transaction.commit()?;
        for (_, done) in group {
            // A producer that is gone needs no word.
            let _ = done.send(());
        }
    }
    Ok(count)
}
