//! The launch file, by which a host learns a session's environment: no copy of the environment stays beside the session.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use areyouj_tests::home::TestHome;

/// The age of a file that a crashed start left, well beyond the time that a host has to start.
const AGE: Duration = Duration::from_secs(600);

/// The names of a launch file: whole, and while it is written.
const NAMES: [&str; 2] = ["launch", "launch.new"];

fn directory(home: &TestHome, id: &str) -> PathBuf {
    home.path().join("state/sessions").join(id)
}

/// The files of the session that hold this text.
fn holding(home: &TestHome, id: &str, text: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory(home, id)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.filter(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).contains(text)).collect()
}

#[test]
fn the_launch_file_is_gone_once_the_host_is_ready() {
    let home = TestHome::with_stand_in("obedient").with("A_TOKEN", "secret-of-the-environment");
    let id = home.idle_session(&home.project("project"), &[]);
    assert!(NAMES.iter().all(|name| !directory(&home, &id).join(name).exists()));
    assert_eq!(holding(&home, &id, "secret-of-the-environment"), Vec::<PathBuf>::new());
    // Each further start writes one.
    home.ok(&["restart", &id]);
    home.wait(&id, "idle");
    assert!(NAMES.iter().all(|name| !directory(&home, &id).join(name).exists()));
}

#[test]
fn launch_files_of_crashed_starts_are_removed_by_the_next_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let ended = home.idle_session(&home.project("ended"), &[]);
    home.ok(&["terminate", &ended]);
    home.wait(&ended, "terminated");
    let live = home.idle_session(&home.project("live"), &[]);
    home.kill(home.daemon_pid());
    for id in [&ended, &live] {
        for name in NAMES {
            let path = directory(&home, id).join(name);
            fs::write(&path, "A_TOKEN=secret").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - AGE).unwrap();
        }
    }
    home.ok(&["ls"]);
    for id in [&ended, &live] {
        assert!(NAMES.iter().all(|name| !directory(&home, id).join(name).exists()), "{id}");
    }
    home.send_and_wait(&live, "still here");
}
