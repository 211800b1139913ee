//! The database's file, opened beside SQLite and never closed again: closing any descriptor of a file drops all locks
//! that this process has on it, SQLite's among them. Another program would then take itself for the last user of the
//! database and remove the log to which this one goes on committing.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Every file that was ever asked for: the database, and those that were put in its place.
static HELD: Mutex<Vec<Arc<File>>> = Mutex::new(Vec::new());

/// The file at this path, for reading.
pub(super) fn open(path: &Path) -> io::Result<Arc<File>> {
    let wanted = std::fs::metadata(path)?;
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    for file in held.iter() {
        let there = file.metadata()?;
        if (there.dev(), there.ino()) == (wanted.dev(), wanted.ino()) {
            return Ok(Arc::clone(file));
        }
    }
    let file = Arc::new(File::open(path)?);
    held.push(Arc::clone(&file));
    Ok(file)
}
