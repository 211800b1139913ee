//! A directory to work on, empty each time. Its place is `TMPDIR`, best in memory.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

static SCRATCH: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory"));

/// The directory, emptied.
pub fn emptied() -> &'static Path {
    let directory = SCRATCH.path();
    for entry in fs::read_dir(directory).expect("the directory can be read") {
        fs::remove_file(entry.expect("an entry").path()).expect("a file can be removed");
    }
    directory
}
