//! The database file, opened separately from SQLite and never closed. Closing any descriptor of a file releases all
//! locks of this process on it, including SQLite's. Another program could then close the database as its last user, and
//! delete the log to which this process is still committing.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Every file that was ever opened: the database, and files that replaced it.
static OPEN_FILES: Mutex<Vec<Arc<File>>> = Mutex::new(Vec::new());

/// Opens the file at this path for reading, or returns the descriptor that is already open.
pub(super) fn open(path: &Path) -> io::Result<Arc<File>> {
    let metadata = std::fs::metadata(path)?;
    let mut files = OPEN_FILES.lock().unwrap_or_else(PoisonError::into_inner);
    for file in files.iter() {
        let known = file.metadata()?;
        if (known.dev(), known.ino()) == (metadata.dev(), metadata.ino()) {
            return Ok(Arc::clone(file));
        }
    }
    let file = Arc::new(File::open(path)?);
    files.push(Arc::clone(&file));
    Ok(file)
}
