//! What must be true of a directory before a session can start in it.

use std::io::ErrorKind;
use std::path::Path;

use nix::unistd::{AccessFlags, access};

use super::claude::trust::Place;
use areyouj_core::orchestrator::{ErrorCode, Problem, Remedy};

/// Checks that a session can live in this directory.
pub(super) fn check_directory(directory: &str) -> Result<(), Problem> {
    check_readable(directory)?;
    may(directory, AccessFlags::W_OK, "written")?;
    may(directory, AccessFlags::X_OK, "entered")
}

/// Checks that there is such a directory, and that its names can be read.
pub(super) fn check_readable(directory: &str) -> Result<(), Problem> {
    let path = Path::new(directory);
    let shown = directory.escape_default();
    if !path.is_absolute() || directory.contains('\0') {
        let message = format!("The directory \"{shown}\" is not an absolute path.");
        return Err(Problem::new(ErrorCode::DirectoryMissing, message, "Name an absolute path."));
    }
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => may(directory, AccessFlags::R_OK, "read"),
        Ok(_) => {
            let message = format!("\"{shown}\" is not a directory.");
            Err(Problem::new(ErrorCode::NotADirectory, message, Remedy::ChooseDirectory))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let message = format!("The directory \"{shown}\" does not exist.");
            Err(Problem::new(ErrorCode::DirectoryMissing, message, Remedy::ChooseDirectory))
        }
        Err(error) => Err(not_accessible(directory, &error)),
    }
}

/// The directory free of symbolic links, and what is above it.
pub(super) fn resolved(directory: &str) -> Result<Place, Problem> {
    Place::of(directory).map_err(|error| not_accessible(directory, &error))
}

/// The system refuses to open the directory.
pub(super) fn not_accessible(directory: &str, error: &std::io::Error) -> Problem {
    let message = format!("The directory \"{}\" cannot be opened: {error}.", directory.escape_default());
    Problem::new(ErrorCode::DirectoryNotAccessible, message, Remedy::ChooseDirectory)
}

fn may(directory: &str, flag: AccessFlags, what: &str) -> Result<(), Problem> {
    access(directory, flag).map_err(|_| not_permitted(directory, what))
}

pub(super) fn not_permitted(directory: &str, what: &str) -> Problem {
    let message = format!("The directory \"{}\" cannot be {what}.", directory.escape_default());
    Problem::new(ErrorCode::DirectoryNotAccessible, message, Remedy::ChooseDirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(directory: &str) -> &'static str {
        check_directory(directory).map_or_else(|problem| problem.code.as_str(), |()| "ok")
    }

    #[test]
    fn a_directory_must_exist_and_be_usable() {
        let home = tempfile::tempdir().unwrap();
        let odd = home.path().join("with space\nand newline");
        std::fs::create_dir(&odd).unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let missing = home.path().join("missing");
        assert_eq!(code(odd.to_str().unwrap()), "ok");
        assert_eq!(code(file.to_str().unwrap()), "not_a_directory");
        assert_eq!(code(file.join("below").to_str().unwrap()), "directory_missing");
        assert_eq!(code(missing.to_str().unwrap()), "directory_missing");
        assert_eq!(code("relative"), "directory_missing");
        assert_eq!(code("/tmp\0"), "directory_missing");
    }
}
