//! What can be wrong with the store, and what people are told about it.

use std::io;
use std::path::Path;

use areyouj_core::orchestrator::Problem;
use areyouj_protocol::{ErrorCode, Remedy};
use rusqlite::ffi;

/// The store could not do its work. Nothing of the transaction in question is on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A newer version of AreYouJ wrote the database.
    #[error("the database has version {found}, and this program knows versions up to {known}")]
    Newer {
        /// The database's version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The file is not a database of AreYouJ, or it is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// Another program has the database open.
    #[error("another program has the database open")]
    Busy,
    /// Anything else: the file system or SQLite refused.
    #[error("the database could not be read or written: {0}")]
    Failed(String),
}

impl StoreError {
    /// The refusal for clients and people; `path` is the database's.
    pub fn problem(&self, path: &Path) -> Problem {
        let path = path.display();
        let (code, message, remedy) = match self {
            StoreError::Newer { found, known } => (
                ErrorCode::DatabaseNewer,
                format!(
                    "The database {path} has version {found}; this AreYouJ knows versions up to {known}."
                ),
                "Nothing was changed. Use the version of AreYouJ that wrote it, or a later one.".into(),
            ),
            StoreError::Full => {
                (ErrorCode::StorageFull, format!("The disk that holds {path} is full."), Remedy::FreeDisk)
            }
            StoreError::Corrupt(what) => (
                ErrorCode::DatabaseDamaged,
                format!("The database {path} is damaged: {what}."),
                Remedy::doctor_after(
                    "Nothing was deleted. Restore the file from a backup, or move it away together with the -wal \
                     file beside it to start with an empty database.",
                ),
            ),
            StoreError::Busy => (
                ErrorCode::StorageFailed,
                format!("Another program has the database {path} open."),
                "Close that program, for example a shell of sqlite3, and try again.".into(),
            ),
            StoreError::Failed(what) => (
                ErrorCode::StorageFailed,
                format!("The database {path} could not be read or written: {what}."),
                Remedy::doctor_after(
                    "Check that you own the directory, that you can write to it and that it is on a local disk.",
                ),
            ),
        };
        Problem::new(code, message, remedy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let Some(failure) = error.sqlite_error() else { return StoreError::Failed(error.to_string()) };
        match failure.code {
            ffi::ErrorCode::DiskFull => StoreError::Full,
            ffi::ErrorCode::DatabaseBusy => StoreError::Busy,
            ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase => {
                StoreError::Corrupt(error.to_string())
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_stable_code_and_tells_people_the_path_and_what_to_do() {
        let errors = [
            (StoreError::Newer { found: 7, known: 1 }, ErrorCode::DatabaseNewer),
            (StoreError::Full, ErrorCode::StorageFull),
            (StoreError::Corrupt("malformed".to_owned()), ErrorCode::DatabaseDamaged),
            (StoreError::Failed("permission denied".to_owned()), ErrorCode::StorageFailed),
        ];
        for (error, code) in errors {
            let problem = error.problem(Path::new("/home/ada/areyouj.db"));
            assert_eq!(problem.code, code);
            assert!(problem.message.contains("/home/ada/areyouj.db"), "{}", problem.message);
            assert!(!problem.hint().is_empty());
        }
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures_of_the_file_system() {
        assert_eq!(StoreError::from(io::Error::from(io::ErrorKind::StorageFull)), StoreError::Full);
        assert!(matches!(
            StoreError::from(io::Error::from(io::ErrorKind::PermissionDenied)),
            StoreError::Failed(_)
        ));
    }
}
