//! The upper limit for durable messages: SQLite with the settings of the store, and nothing else. One thread commits
//! rows of several threads, each of which waits until its row is on disk; without JSON, sockets and rules.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, anyhow};
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

use super::enqueue::TEXT_BYTES;

/// The store's table of messages, with its index.
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

/// The number of pages in the log that triggers a checkpoint, as in the store.
const LOG_PAGES: u32 = 4096;

const INSERT: &str = "INSERT INTO messages VALUES (?1, ?2, ?3, 'queued', ?4, 0, 0, 0, ?5, NULL, NULL, NULL)";

/// A message, and the channel for the notification that it is on disk.
type Message = (String, Sender<()>);

/// A bare SQLite database.
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

    /// Runs this many threads with this many messages each; returns messages per second.
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
                        // The committing thread reports its own failure.
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

/// Repeatedly commits all waiting messages in one transaction; returns the number of messages.
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
            // A producer that has exited needs no notification.
            let _ = done.send(());
        }
    }
    Ok(count)
}
