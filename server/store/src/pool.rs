//! A pool of connections that read, so that one long read does not make the others wait.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Reader, StoreError};

/// Connections that the pool keeps while nobody uses them. Each holds up to 2 MB of pages, and more than two reads at
/// the same time are rare; further connections are opened on demand, in about a millisecond, and closed after use.
const KEPT_IDLE: usize = 2;

/// Connections that read one database.
pub struct ReaderPool {
    database: PathBuf,
    idle: Mutex<Vec<Reader>>,
}

impl ReaderPool {
    /// Opens the pool with one connection; the database must exist.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open(database: &Path) -> Result<ReaderPool, StoreError> {
        let first = Reader::open(database)?;
        Ok(ReaderPool { database: database.to_owned(), idle: Mutex::new(vec![first]) })
    }

    /// Reads over a connection that nobody else uses meanwhile.
    ///
    /// # Errors
    /// Those of `read`, and those of [`Reader::open`] when a further connection is needed and cannot be opened.
    pub fn read<T>(&self, read: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.database)?,
        };
        let result = read(&reader);
        let mut idle = self.lock();
        if idle.len() < KEPT_IDLE {
            idle.push(reader);
        }
        result
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
    fn a_read_does_not_wait_for_another_one() {
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
        assert_eq!(pool.lock().len(), KEPT_IDLE);
    }
}
