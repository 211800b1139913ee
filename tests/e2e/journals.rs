//! A journal that is damaged while no daemon is running: the session continues, its transcript reports the damage, and
//! other sessions are not affected.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};

/// The seed of the random positions in these tests.
const SEED: u64 = 20_261_122;

/// The number of damaged positions.
const POSITIONS: usize = 4;

/// The polling interval for a file without change notifications.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A session whose turn ended while no daemon was running: the next daemon must read the end of its journal.
struct Scene {
    home: TestHome,
    bystander: Bystander,
    id: String,
    message: String,
    claude: serde_json::Value,
    /// The offset of the part of the file that no daemon has read.
    unread: usize,
}

impl Scene {
    fn new() -> Scene {
        let home = TestHome::new();
        let bystander = Bystander::of(&home);
        let id = home.idle_session(&home.project("project"), &[]);
        home.send_and_wait(&id, "before");
        let claude = home.session(&id)["pid"].clone();
        let message = home.send(&id, "hold: gate");
        home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
        home.wait(&id, "active");
        home.kill(home.daemon_pid());
        let mut scene = Scene { home, bystander, id, message, claude, unread: 0 };
        scene.unread = scene.bytes().len();
        scene.home.api.release("gate");
        let end = Instant::now() + EVENT_TIMEOUT;
        while !String::from_utf8_lossy(&scene.bytes()[scene.unread..]).contains(r#""state":"idle""#) {
            assert!(Instant::now() < end, "the turn did not end without a daemon");
            std::thread::park_timeout(POLL_INTERVAL);
        }
        scene
    }

    fn segment(&self) -> PathBuf {
        let directory = self.home.path().join("state/sessions").join(&self.id).join("journal");
        let segments = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        segments.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.segment()).unwrap()
    }

    fn flip(&self, offset: usize) {
        let byte = self.bytes()[offset] ^ 0x55;
        // Write in place: the host has the file open.
        let file = OpenOptions::new().write(true).open(self.segment()).unwrap();
        file.write_all_at(&[byte], offset as u64).unwrap();
    }

    /// A new daemon must read as much of the journal as possible, the session must accept messages again, and the
    /// bystander must not be affected.
    fn assert_responsive(&self, what: &str) {
        let home = &self.home;
        let session = home
            .wait_session(&self.id, what, |session| session["status"] == "idle" && session["pid"].is_i64());
        // The state of the message depends on how much of its turn is readable; the message must never be lost.
        let message = home.message(&self.id, &self.message);
        match message["state"].as_str().unwrap() {
            "done" => {}
            "interrupted" => {
                assert_eq!(session["attention"]["messageId"], self.message.as_str(), "{what}: {session}");
                home.ok(&["queue", "skip", &self.message]);
            }
            other => panic!("{what}: the message is {other}: {session}"),
        }
        home.send_and_wait(&self.id, "after");
        assert_eq!(home.api.prompt_count_of("hold: gate"), 1, "{what}: the message ran twice");
        assert_eq!(home.api.prompt_count_of("after"), 1);
        self.bystander.assert_responsive(home);
    }

    fn reports_damage(&self) -> bool {
        let log = self.home.ok(&["logs", &self.id]);
        log.contains("The journal is damaged") || log.contains("A part of the journal is missing")
    }
}

#[test]
fn a_flipped_byte_in_the_unread_part_is_reported_and_the_session_continues() {
    let mut random = fastrand::Rng::with_seed(SEED);
    for _ in 0..POSITIONS {
        let scene = Scene::new();
        let offset = random.usize(scene.unread..scene.bytes().len());
        scene.flip(offset);
        let what = format!("byte {offset}, the unread part starts at {}", scene.unread);
        scene.assert_responsive(&what);
        assert!(scene.reports_damage(), "{what}");
    }
}

#[test]
fn a_flipped_byte_in_the_part_that_was_read_has_no_effect() {
    let mut random = fastrand::Rng::with_seed(SEED);
    // The last positions are in the segment's header: its signature, and its start offset.
    for offset in [random.usize(16..2_000), random.usize(..4), random.usize(8..16)] {
        let scene = Scene::new();
        scene.flip(offset);
        scene.assert_responsive(&format!("byte {offset}"));
        let session = scene.home.session(&scene.id);
        assert_eq!(session["pid"], scene.claude, "byte {offset}: Claude must not restart");
        assert!(!scene.reports_damage());
        // A host that opens the journal again must accept it, too.
        scene.home.ok(&["restart", &scene.id]);
        scene.home.wait(&scene.id, "idle");
        scene.home.send_and_wait(&scene.id, "once more");
    }
}

/// An unknown version can be a newer one, whose journal must not be truncated.
#[test]
fn a_journal_with_another_version_is_not_changed_and_reported_when_a_host_opens_it() {
    let scene = Scene::new();
    let version = 4;
    scene.flip(version);
    scene.assert_responsive("version");
    let before = scene.bytes();
    let home = &scene.home;
    home.areyouj(&["restart", &scene.id]);
    assert_eq!(home.wait_error(&scene.id), "host_failed");
    let error = home.session(&scene.id)["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("newer"), "{error}");
    assert!(scene.bytes().starts_with(&before));
    scene.bystander.assert_responsive(home);
    scene.flip(version);
    home.ok(&["restart", &scene.id]);
    home.wait(&scene.id, "idle");
    home.send_and_wait(&scene.id, "once more");
}

#[test]
fn a_truncated_journal_is_reported_and_the_session_continues() {
    let scene = Scene::new();
    let middle = scene.unread + (scene.bytes().len() - scene.unread) / 2;
    OpenOptions::new().write(true).open(scene.segment()).unwrap().set_len(middle as u64).unwrap();
    scene.assert_responsive("cut");
    assert!(scene.reports_damage());
}

#[test]
fn a_deleted_journal_is_reported_and_the_session_continues() {
    let scene = Scene::new();
    fs::remove_file(scene.segment()).unwrap();
    scene.assert_responsive("removed");
    assert!(scene.reports_damage());
}
