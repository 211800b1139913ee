//! A temporary directory that is emptied for each input. It is in `TMPDIR`, which should be in memory.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

static SCRATCH: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory"));

/// The directory, after removing all files.
pub fn emptied() -> &'static Path {
    let directory = SCRATCH.path();
    for entry in fs::read_dir(directory).expect("the directory can be read") {
        fs::remove_file(entry.expect("an entry").path()).expect("a file can be removed");
    }
    directory
}
