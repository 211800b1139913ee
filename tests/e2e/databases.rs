//! A database that is damaged while no daemon is running: the daemon works or reports an error code, it never changes a
//! rejected file, sessions are not affected, and everything works again once the file is restored.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::TestHome;

/// The seed of the random positions in this test.
const SEED: u64 = 20_261_122;

/// The number of rounds in which bytes are flipped.
const FLIP_ROUNDS: usize = 12;

/// Files by path; the contents of a directory are `None`.
type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A function that damages the contents of a file.
type Damage = fn(&mut Vec<u8>);

/// A home whose daemon was killed, with a running session, and a session with queued messages.
struct Scene {
    home: TestHome,
    bystander: Bystander,
    paused: String,
    intact: Files,
}

impl Scene {
    fn new() -> Scene {
        let home = TestHome::with_stand_in("obedient");
        let bystander = Bystander::of(&home);
        let paused = home.idle_session(&home.project("paused"), &[]);
        for number in 0..5 {
            home.send_and_wait(&paused, &format!("done {number}"));
        }
        home.ok(&["queue", "pause", &paused]);
        let mut scene = Scene { home, bystander, paused, intact: Files::new() };
        for text in TEXTS {
            scene.home.send(&scene.paused, text);
        }
        scene.kill();
        scene
    }

    fn directory(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn database(&self) -> PathBuf {
        self.directory().join("areyouj.db")
    }

    fn log(&self) -> PathBuf {
        self.directory().join("areyouj.db-wal")
    }

    fn files(&self) -> Files {
        let entries = fs::read_dir(self.directory()).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(&path).ok())).collect()
    }

    /// Kills the daemon, and records the files that it leaves as intact.
    fn kill(&mut self) {
        self.home.kill(self.home.daemon_pid());
        self.intact = self.files();
    }

    /// Moves everything from the log into the database.
    fn checkpoint(&mut self) {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
        connection.close().unwrap();
        assert!(!self.log().exists(), "the log still exists");
        self.intact = self.files();
    }

    /// Damages the files, runs a command, and restores the files. Returns the error code of the command, or `None`.
    fn with(&mut self, what: &str, damage: impl FnOnce(&Scene)) -> Option<String> {
        damage(self);
        let damaged = self.files();
        let run = self.home.areyouj(&["ls", "--json"]);
        let code = (run.status != 0).then(|| {
            let error = self.home.error_of(&run);
            error["code"].as_str().unwrap().to_owned()
        });
        self.bystander.assert_alive();
        let daemon =
            self.home.processes().into_iter().find(|process| process.command.ends_with("daemon run"));
        if let Some(daemon) = &daemon {
            self.home.kill(daemon.pid);
        }
        // A daemon that used the file until it reached the damage has written to it, but must not have deleted it.
        if daemon.is_none() {
            for (path, bytes) in damaged {
                assert_eq!(fs::read(&path).ok(), bytes, "{what}: {} was changed", path.display());
            }
        } else if code.is_some() {
            assert!(self.database().is_file(), "{what}: the database was deleted");
        }
        self.restore();
        self.bystander.assert_responsive(&self.home);
        assert_eq!(self.home.queued_texts(&self.paused), TEXTS, "{what}: accepted messages exist");
        self.kill();
        code
    }

    fn restore(&self) {
        for path in self.files().keys() {
            if path.is_dir() { fs::remove_dir(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        for (path, bytes) in &self.intact {
            fs::write(path, bytes.as_ref().unwrap()).unwrap();
        }
    }
}

const TEXTS: [&str; 3] = ["to be kept", "this too", "and this"];

fn overwrite(path: &Path, with: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    with(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_that_is_not_a_database_is_rejected_and_not_changed() {
    let mut scene = Scene::new();
    scene.checkpoint();
    let code = scene.with("garbage", |scene| overwrite(&scene.database(), |bytes| bytes[..100].fill(b'x')));
    assert_eq!(code.as_deref(), Some("database_damaged"));
    scene.checkpoint();
    let code = scene.with("truncated", |scene| {
        overwrite(&scene.database(), |bytes| bytes.truncate(bytes.len() / 2 + 7));
    });
    assert_eq!(code.as_deref(), Some("database_damaged"));
    scene.checkpoint();
    let code = scene.with("newer", |scene| {
        overwrite(&scene.database(), |bytes| bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()));
    });
    assert_eq!(code.as_deref(), Some("database_newer"));
    // The next two cases have the log that a killed daemon leaves.
    let code = scene.with("empty with a log", |scene| fs::write(scene.database(), "").unwrap());
    assert_eq!(code.as_deref(), Some("database_damaged"));
    let code = scene.with("a directory", |scene| {
        fs::remove_file(scene.database()).unwrap();
        fs::create_dir(scene.database()).unwrap();
    });
    assert_eq!(code.as_deref(), Some("storage_failed"));
}

#[test]
fn flipped_bytes_are_detected_or_harmless() {
    let mut scene = Scene::new();
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut detected = 0;
    for number in 0..FLIP_ROUNDS {
        scene.checkpoint();
        let seed = random.u64(..);
        let what = format!("flip {number} with seed {seed}");
        let code = scene.with(&what, |scene| {
            overwrite(&scene.database(), |bytes| {
                let mut random = fastrand::Rng::with_seed(seed);
                // Ranges of any length up to a page: a single byte is often in free space.
                let start = random.usize(..bytes.len());
                let end = bytes.len().min(start + random.usize(1..4096));
                bytes[start..end].iter_mut().for_each(|byte| *byte ^= random.u8(1..));
            });
        });
        let known = ["database_damaged", "database_newer", "storage_failed"];
        assert!(code.as_deref().is_none_or(|code| known.contains(&code)), "{what}: {code:?}");
        detected += usize::from(code.is_some());
    }
    assert!(detected > 0, "no damage was detected");
}

#[test]
fn a_damaged_log_of_the_database_is_detected_or_harmless() {
    let mut scene = Scene::new();
    let damages: [(&str, Damage); 4] = [
        ("garbage in the header", |bytes| bytes[..32].fill(0xA5)),
        ("garbage in the middle", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle..middle + 64].fill(0xA5);
        }),
        ("truncated", |bytes| bytes.truncate(bytes.len() / 2 + 11)),
        ("garbage at the end", |bytes| bytes.extend([0xA5; 5_000])),
    ];
    for (what, damage) in damages {
        let code = scene.with(what, |scene| overwrite(&scene.log(), damage));
        assert!(code.as_deref().is_none_or(|code| code == "database_damaged"), "{what}: {code:?}");
    }
}

#[test]
fn every_command_reports_the_problem_with_the_database() {
    let mut scene = Scene::new();
    let id = scene.bystander.id.clone();
    let code = scene.with("not a database", |scene| {
        fs::write(scene.database(), "not a database").unwrap();
        for arguments in [&["show", &id][..], &["daemon", "start"], &["send", &id, "x"], &["logs", &id]] {
            let error = scene.home.rejection(arguments);
            assert_eq!(error["code"], "database_damaged", "{arguments:?}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(scene.database().to_str().unwrap()), "{error}");
        }
    });
    assert_eq!(code.as_deref(), Some("database_damaged"));
}
