//! Removing launch files, which hold a session's environment. A host removes its own once it has read it; a daemon or a
//! host that was killed in between leaves one, and a host of an earlier version removes none.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The launch file's name in a session's directory.
pub(super) const LAUNCH_FILE: &str = "launch";

/// The names of launch files: whole, and while one is written.
const NAMES: [&str; 2] = [LAUNCH_FILE, "launch.new"];

/// The age from which no host that is starting still has to read a launch file; it has a quarter of that to start.
const LEFTOVER_AGE: Duration = Duration::from_secs(60);

/// Removes the launch file of a session whose host has read it.
pub(super) fn remove(session_dir: &Path) {
    for name in NAMES {
        remove_file(&session_dir.join(name));
    }
}

/// Removes the launch files below the sessions' directory that no starting host needs.
pub(super) fn remove_leftovers(sessions: &Path) {
    let Ok(entries) = fs::read_dir(sessions) else { return };
    for directory in entries.flatten() {
        for name in NAMES {
            let path = directory.path().join(name);
            if is_leftover(&path) {
                remove_file(&path);
            }
        }
    }
}

fn is_leftover(path: &Path) -> bool {
    let written = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    // A time in the future comes from a clock that was set back.
    written.is_ok_and(|written| {
        SystemTime::now().duration_since(written).map_or(true, |age| age >= LEFTOVER_AGE)
    })
}

fn remove_file(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "a launch file cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_launch_files_are_removed_and_those_of_a_starting_host_are_not() {
        let sessions = tempfile::tempdir().unwrap();
        for (session, name) in
            [("OLD", "launch"), ("OLD", "launch.new"), ("OLD", "journal"), ("NEW", "launch")]
        {
            let directory = sessions.path().join(session);
            fs::create_dir_all(&directory).unwrap();
            let file = fs::File::create(directory.join(name)).unwrap();
            if session == "OLD" {
                file.set_modified(SystemTime::now() - LEFTOVER_AGE).unwrap();
            }
        }
        remove_leftovers(sessions.path());
        let exists = |name: &str| sessions.path().join(name).exists();
        assert!(!exists("OLD/launch") && !exists("OLD/launch.new"));
        assert!(exists("OLD/journal") && exists("NEW/launch"));
        remove(&sessions.path().join("NEW"));
        assert!(!exists("NEW/launch"));
    }
}
