//! Errors of the store, and the problems that clients report for them.

use std::io;
use std::path::Path;

use areyouj_core::orchestrator::Problem;
use areyouj_protocol::{ErrorCode, Remedy};
use rusqlite::ffi;

/// An error of the store. No part of the affected transaction is on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A newer version of AreYouJ wrote the database.
    #[error("the database has version {found}, and this program supports versions up to {known}")]
    Newer {
        /// The version of the database.
        found: u32,
        /// The newest version that this program supports.
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
    /// Any other error of the file system or SQLite.
    #[error("the database could not be read or written: {0}")]
    Failed(String),
}

impl StoreError {
    /// The problem to report to clients; `path` is the path of the database.
    pub fn problem(&self, path: &Path) -> Problem {
        let path = path.display();
        let (code, message, remedy) = match self {
            StoreError::Newer { found, known } => (
                ErrorCode::DatabaseNewer,
                format!(
                    "The database {path} has version {found}; this AreYouJ supports versions up to {known}."
                ),
                "Use the version of AreYouJ that wrote it, or a later one. The database was not changed.".into(),
            ),
            StoreError::Full => {
                (ErrorCode::StorageFull, format!("The disk that holds {path} is full."), Remedy::FreeDisk)
            }
            StoreError::Corrupt(what) => (
                ErrorCode::DatabaseDamaged,
                format!("The database {path} is damaged: {what}."),
                Remedy::doctor_after(
                    "Nothing was deleted. Restore the file from a backup. To start with an empty database instead, \
                     move the file and the -wal file next to it to another directory.",
                ),
            ),
            StoreError::Busy => (
                ErrorCode::StorageFailed,
                format!("Another program has the database {path} open."),
                "Close that program, for example a sqlite3 shell, and try again: the daemon needs exclusive access to the database.".into(),
            ),
            StoreError::Failed(what) => (
                ErrorCode::StorageFailed,
                format!("The database {path} could not be read or written: {what}."),
                Remedy::doctor_after(
                    "Check that the directory belongs to you, is writable and is on a local disk.",
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
    fn every_problem_has_a_stable_code_the_path_and_a_hint() {
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
    fn a_full_disk_is_distinguished_from_other_errors_of_the_file_system() {
        assert_eq!(StoreError::from(io::Error::from(io::ErrorKind::StorageFull)), StoreError::Full);
        assert!(matches!(
            StoreError::from(io::Error::from(io::ErrorKind::PermissionDenied)),
            StoreError::Failed(_)
        ));
    }
}
