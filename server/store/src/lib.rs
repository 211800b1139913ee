//! What is kept on disk: one SQLite database per user, and the only place with SQL.
//!
//! [`open`] gives the one connection that writes and everything that a daemon starts with. A daemon hands the
//! connection to [`spawn_writer`], whose thread makes changes durable in groups and says so in order; whatever needs
//! no place in that order is read with a [`Reader`]. A power cut loses nothing that was said to be durable
//! (`synchronous=FULL`), and no error ever deletes a database.

mod cell;
mod commit;
mod connection;
mod error;
mod held;
mod load;
mod pool;
mod read;
mod rows;
#[cfg(test)]
mod samples;
mod schema;
mod writer;

use std::path::Path;

pub use commit::Committer;
pub use error::StoreError;
pub use pool::ReaderPool;
pub use read::Reader;
pub use writer::{WriterHandle, spawn_writer};

use areyouj_core::orchestrator::Snapshot;

/// Opens the database for writing, with everything that a daemon starts with. A missing one is created, for its owner
/// only; one of an older version is brought up to date.
///
/// # Errors
///
/// A database of a newer version is refused before anything is written.
pub fn open(path: &Path) -> Result<(Committer, Snapshot), StoreError> {
    connection::refuse_newer(path)?;
    connection::create_file(path)?;
    let mut connection = connection::open_for_writing(path)?;
    // If what follows shows damage, closing the database must not write the log into it.
    connection::keep_log_on_close(&connection, true)?;
    schema::migrate(&mut connection)?;
    let snapshot = load::snapshot(&connection)?;
    connection::keep_log_on_close(&connection, false)?;
    connection::lay_out_log(path)?;
    Ok((Committer::new(connection), snapshot))
}
