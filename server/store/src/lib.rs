//! The store: one SQLite database per user. This crate is the only one with SQL.
//!
//! [`open`] returns the one connection that writes, and the snapshot with which a daemon starts. The daemon passes the
//! connection to [`spawn_writer`], whose thread makes changes durable in groups and reports them in order. Reads that
//! do not depend on that order use a [`Reader`]. A power failure loses no change that was reported as durable
//! (`synchronous=FULL`), and an error never deletes a database.

mod cell;
mod commit;
mod connection;
mod database_file;
mod error;
mod load;
mod pool;
mod read;
mod rows;
#[cfg(test)]
mod samples;
mod schema;
mod scrub;
mod writer;

use std::path::Path;

pub use commit::Committer;
pub use error::StoreError;
pub use pool::ReaderPool;
pub use read::Reader;
pub use writer::{WriterHandle, spawn_writer};

use areyouj_core::orchestrator::Snapshot;

/// Opens the database for writing and reads the snapshot with which a daemon starts. A missing database is created with
/// access only for its owner; one of an older version is migrated.
///
/// # Errors
///
/// A database of a newer version is rejected before anything is written.
pub fn open(path: &Path) -> Result<(Committer, Snapshot), StoreError> {
    connection::reject_newer(path)?;
    connection::create_file(path)?;
    let mut connection = connection::open_for_writing(path)?;
    // If the next steps detect damage, closing the database must not write the log into it.
    connection::keep_log_on_close(&connection, true)?;
    schema::migrate(&mut connection)?;
    let snapshot = load::snapshot(&connection)?;
    connection::keep_log_on_close(&connection, false)?;
    connection::preallocate_log(path)?;
    let mut committer = Committer::new(connection, path);
    // A daemon that was killed can have left deleted rows in the log.
    committer.scrub();
    Ok((committer, snapshot))
}
