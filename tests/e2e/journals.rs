//! A journal that is damaged while no daemon runs: the session goes on, the damage is told in its transcript, and no
//! other session notices.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test: a panic is a failed one")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};

/// Where the random places of these tests begin; another number is another test.
const SEED: u64 = 20_261_122;

/// How many places are damaged.
const PLACES: usize = 4;

/// Between two looks at a file that nobody tells us of.
const LOOK: Duration = Duration::from_millis(10);

/// A session whose turn ended while no daemon ran: the end of its journal is news to the next daemon.
struct Scene {
    home: TestHome,
    bystander: Bystander,
    id: String,
    message: String,
    claude: serde_json::Value,
    /// Where in the file the news begins.
    news: usize,
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
        let mut scene = Scene { home, bystander, id, message, claude, news: 0 };
        scene.news = scene.bytes().len();
        scene.home.api.release("gate");
        let end = Instant::now() + EVENT_TIMEOUT;
        while !String::from_utf8_lossy(&scene.bytes()[scene.news..]).contains(r#""state":"idle""#) {
            assert!(Instant::now() < end, "the turn does not end without a daemon");
            std::thread::park_timeout(LOOK);
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

    fn flip(&self, place: usize) {
        let byte = self.bytes()[place] ^ 0x55;
        // In place: the host has the file open.
        let file = OpenOptions::new().write(true).open(self.segment()).unwrap();
        file.write_all_at(&[byte], place as u64).unwrap();
    }

    /// A new daemon makes what it can of the journal; the session takes messages again, and the bystander never
    /// noticed anything.
    fn assert_responsive(&self, what: &str) {
        let home = &self.home;
        let session = home
            .wait_session(&self.id, what, |session| session["status"] == "idle" && session["pid"].is_i64());
        // What becomes of the message depends on what of it can still be read; it is never just gone.
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
        assert_eq!(home.api.prompt_count_of("hold: gate"), 1, "{what}: nothing runs twice");
        assert_eq!(home.api.prompt_count_of("after"), 1);
        self.bystander.assert_responsive(home);
    }

    fn tells_of_the_damage(&self) -> bool {
        let told = self.home.ok(&["logs", &self.id]);
        told.contains("The journal is damaged") || told.contains("A part of the journal is missing")
    }
}

#[test]
fn a_byte_that_flips_in_what_no_daemon_has_read_yet_is_told_and_the_session_goes_on() {
    let mut random = fastrand::Rng::with_seed(SEED);
    for _ in 0..PLACES {
        let scene = Scene::new();
        let place = random.usize(scene.news..scene.bytes().len());
        scene.flip(place);
        let what = format!("byte {place}, the news begin at {}", scene.news);
        scene.assert_responsive(&what);
        assert!(scene.tells_of_the_damage(), "{what}");
    }
}

#[test]
fn a_byte_that_flips_in_what_was_read_before_is_of_no_importance() {
    let mut random = fastrand::Rng::with_seed(SEED);
    // The last places are in the segment's header: what it is, and where it begins.
    for place in [random.usize(16..2_000), random.usize(..4), random.usize(8..16)] {
        let scene = Scene::new();
        scene.flip(place);
        scene.assert_responsive(&format!("byte {place}"));
        let session = scene.home.session(&scene.id);
        assert_eq!(session["pid"], scene.claude, "byte {place}: Claude had no reason to end");
        assert!(!scene.tells_of_the_damage());
        // A host that opens the journal anew has to make do with it too.
        scene.home.ok(&["restart", &scene.id]);
        scene.home.wait(&scene.id, "idle");
        scene.home.send_and_wait(&scene.id, "once more");
    }
}

/// A version that is not known may as well be a newer one, whose journal is nothing to be cut off.
#[test]
fn a_journal_with_another_version_is_left_alone_and_named_when_a_host_is_to_open_it() {
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
fn a_journal_that_was_cut_in_the_middle_is_told_and_the_session_goes_on() {
    let scene = Scene::new();
    let middle = scene.news + (scene.bytes().len() - scene.news) / 2;
    OpenOptions::new().write(true).open(scene.segment()).unwrap().set_len(middle as u64).unwrap();
    scene.assert_responsive("cut");
    assert!(scene.tells_of_the_damage());
}

#[test]
fn a_journal_that_was_removed_is_told_and_the_session_goes_on() {
    let scene = Scene::new();
    fs::remove_file(scene.segment()).unwrap();
    scene.assert_responsive("removed");
    assert!(scene.tells_of_the_damage());
}
