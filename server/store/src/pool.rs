//! A pool of connections for reading, so that one long read does not delay the others.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use areyouj_core::orchestrator::Problem;

use super::{Reader, StoreError};

/// The number of unused connections that the pool keeps open. Each caches up to 2 MB of pages, and more than two
/// concurrent reads are rare. Further connections are opened on demand, in about a millisecond, and closed after use.
const IDLE_CONNECTIONS_MAX: usize = 2;

/// Connections for reading one database.
pub struct ReaderPool {
    database: PathBuf,
    idle: Mutex<Vec<Reader>>,
}

impl ReaderPool {
    /// Opens the pool with one connection; the database must exist.
    ///
    /// # Errors
    /// Those of [`Reader::open`].
    pub fn open(database: &Path) -> Result<ReaderPool, StoreError> {
        let first = Reader::open(database)?;
        Ok(ReaderPool { database: database.to_owned(), idle: Mutex::new(vec![first]) })
    }

    /// Calls `read` with a connection that it has exclusively.
    ///
    /// # Errors
    /// Those of `read`, and those of [`Reader::open`] if another connection must be opened.
    pub fn read<T>(&self, read: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.database)?,
        };
        let result = read(&reader);
        let mut idle = self.lock();
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(reader);
        }
        result
    }

    /// An error of this database, for a client.
    pub fn problem(&self, error: &StoreError) -> Problem {
        error.problem(&self.database)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Store;

    #[test]
    fn a_read_does_not_wait_for_another_read() {
        let store = Store::new();
        let pool = ReaderPool::open(store.path()).unwrap();
        pool.read(|first| {
            pool.read(|second| {
                pool.read(|third| {
                    first.integrity_check()?;
                    second.integrity_check()?;
                    third.integrity_check()
                })
            })
        })
        .unwrap();
        assert_eq!(pool.lock().len(), IDLE_CONNECTIONS_MAX);
    }
}
