//! A database that is damaged while no daemon runs: it works on or says so with a code, it is never changed when it is
//! refused, no session notices, and with the file restored everything goes on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test: a panic is a failed one")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::TestHome;

/// Where the random places of this test begin; another number is another test.
const SEED: u64 = 20_261_122;

/// How many times bytes are flipped.
const FLIPS: usize = 12;

/// Files by name; a directory has no bytes.
type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// What is done to the bytes of a file.
type Damage = fn(&mut Vec<u8>);

/// A home whose daemon was killed, with one session that lives and one whose queue is full of things to lose.
struct Scene {
    home: TestHome,
    bystander: Bystander,
    paused: String,
    sound: Files,
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
        let mut scene = Scene { home, bystander, paused, sound: Files::new() };
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

    /// Kills the daemon; what it leaves is sound.
    fn kill(&mut self) {
        self.home.kill(self.home.daemon_pid());
        self.sound = self.files();
    }

    /// Has everything in the database itself, and no log beside it.
    fn fold(&mut self) {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
        connection.close().unwrap();
        assert!(!self.log().exists(), "the log is still there");
        self.sound = self.files();
    }

    /// What becomes of a command with these files: the code of its refusal, or none. The sound files are put back.
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
        // A daemon that worked on the file until it came to the damage has written to it, and has not deleted it.
        if daemon.is_none() {
            for (path, bytes) in damaged {
                assert_eq!(fs::read(&path).ok(), bytes, "{what}: {} was changed", path.display());
            }
        } else if code.is_some() {
            assert!(self.database().is_file(), "{what}: the database is gone");
        }
        self.restore();
        self.bystander.assert_responsive(&self.home);
        assert_eq!(self.home.queued_texts(&self.paused), TEXTS, "{what}: what was accepted is there");
        self.kill();
        code
    }

    fn restore(&self) {
        for path in self.files().keys() {
            if path.is_dir() { fs::remove_dir(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        for (path, bytes) in &self.sound {
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
fn a_database_that_is_none_any_more_is_refused_untouched() {
    let mut scene = Scene::new();
    scene.fold();
    let code = scene.with("garbage", |scene| overwrite(&scene.database(), |bytes| bytes[..100].fill(b'x')));
    assert_eq!(code.as_deref(), Some("database_damaged"));
    scene.fold();
    let code = scene.with("truncated", |scene| {
        overwrite(&scene.database(), |bytes| bytes.truncate(bytes.len() / 2 + 7));
    });
    assert_eq!(code.as_deref(), Some("database_damaged"));
    scene.fold();
    let code = scene.with("newer", |scene| {
        overwrite(&scene.database(), |bytes| bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()));
    });
    assert_eq!(code.as_deref(), Some("database_newer"));
    // These two with the log that a killed daemon leaves.
    let code = scene.with("emptied behind its log", |scene| fs::write(scene.database(), "").unwrap());
    assert_eq!(code.as_deref(), Some("database_damaged"));
    let code = scene.with("a directory", |scene| {
        fs::remove_file(scene.database()).unwrap();
        fs::create_dir(scene.database()).unwrap();
    });
    assert_eq!(code.as_deref(), Some("storage_failed"));
}

#[test]
fn flipped_bytes_are_noticed_or_do_no_harm() {
    let mut scene = Scene::new();
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut refused = 0;
    for number in 0..FLIPS {
        scene.fold();
        let seed = random.u64(..);
        let what = format!("flip {number} with seed {seed}");
        let code = scene.with(&what, |scene| {
            overwrite(&scene.database(), |bytes| {
                let mut random = fastrand::Rng::with_seed(seed);
                // Runs of any length up to a page: a single byte hides in free space too easily.
                let start = random.usize(..bytes.len());
                let end = bytes.len().min(start + random.usize(1..4096));
                bytes[start..end].iter_mut().for_each(|byte| *byte ^= random.u8(1..));
            });
        });
        let known = ["database_damaged", "database_newer", "storage_failed"];
        assert!(code.as_deref().is_none_or(|code| known.contains(&code)), "{what}: {code:?}");
        refused += usize::from(code.is_some());
    }
    assert!(refused > 0, "damage is noticed where it matters");
}

#[test]
fn a_damaged_log_of_the_database_is_noticed_or_does_no_harm() {
    let mut scene = Scene::new();
    let damages: [(&str, Damage); 4] = [
        ("garbage in the header", |bytes| bytes[..32].fill(0xA5)),
        ("garbage in the middle", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle..middle + 64].fill(0xA5);
        }),
        ("cut off", |bytes| bytes.truncate(bytes.len() / 2 + 11)),
        ("garbage at the end", |bytes| bytes.extend([0xA5; 5_000])),
    ];
    for (what, damage) in damages {
        let code = scene.with(what, |scene| overwrite(&scene.log(), damage));
        assert!(code.as_deref().is_none_or(|code| code == "database_damaged"), "{what}: {code:?}");
    }
}

#[test]
fn every_command_says_what_is_wrong_with_the_database() {
    let mut scene = Scene::new();
    let id = scene.bystander.id.clone();
    let code = scene.with("no database", |scene| {
        fs::write(scene.database(), "no database").unwrap();
        for arguments in [&["show", &id][..], &["daemon", "start"], &["send", &id, "x"], &["logs", &id]] {
            let error = scene.home.rejection(arguments);
            assert_eq!(error["code"], "database_damaged", "{arguments:?}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(scene.database().to_str().unwrap()), "{error}");
        }
    });
    assert_eq!(code.as_deref(), Some("database_damaged"));
}
