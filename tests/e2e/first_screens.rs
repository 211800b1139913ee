//! What Claude asks in its terminal before it begins: the session waits with that reason, and goes on once somebody has
//! answered there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};
use areyouj_tests::tmux::Terminal;
use serde_json::{Value, json};

const SIZE: (u16, u16) = (90, 30);

/// How long Claude may take to show the effect of a key, on a busy machine.
const EFFECT: Duration = Duration::from_secs(5);

/// A home in which Claude's own settings lack this, or have another value for it.
fn home_with(name: &str, value: Value) -> TestHome {
    let home = TestHome::new();
    let path = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).join(".claude.json");
    let settings = home.expect(fs::read(&path).map_err(Into::into));
    let mut settings: Value = home.expect(serde_json::from_slice(&settings).map_err(Into::into));
    settings[name] = value;
    home.expect(fs::write(&path, settings.to_string()).map_err(Into::into));
    home
}

/// A session with a message that waits until Claude has begun; the reason why it waits holds this word.
fn waiting(home: &TestHome, directory: &Path, word: &str) -> (String, Terminal) {
    let id =
        home.new_session(directory, &["--driver", "terminal", "--permission-mode", "default", "-m", "hello"]);
    let session = home
        .wait_session(&id, "a question before the start", |session| text_of(session, "status") == "waiting");
    let attention = &session["attention"];
    assert_eq!(attention["kind"], "terminal");
    assert!(attention["title"].as_str().is_some_and(|title| title.contains(word)), "{session:#?}");
    let terminal = home.expect(Terminal::open(&home.cli.directory, &home.cli.environment, SIZE));
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    (id, terminal)
}

/// Moves to the choice with this text, and chooses it. Claude ignores keys that come right after a dialog was drawn, so a
/// key that has no effect is pressed again.
fn choose(home: &TestHome, terminal: &Terminal, text: &str, key: &str) {
    home.expect(terminal.wait_for(text, EVENT_TIMEOUT));
    let marked = format!("❯ {text}");
    let until = Instant::now() + EVENT_TIMEOUT;
    loop {
        home.expect(terminal.press(&[key]));
        let moved = terminal.wait_for(&marked, EFFECT);
        if moved.is_ok() || Instant::now() > until {
            home.expect(moved);
            break;
        }
    }
    home.expect(terminal.press(&["Enter"]));
}

#[test]
fn a_directory_that_is_not_trusted_is_asked_about() {
    let home = TestHome::new();
    let elsewhere = home.path().join("elsewhere");
    home.expect(fs::create_dir_all(&elsewhere).map_err(Into::into));
    let (id, terminal) = waiting(&home, &elsewhere, "trust");
    choose(&home, &terminal, "Yes, I trust this folder", "Down");
    home.wait(&id, "idle");
    assert_eq!(home.api.prompts(), ["hello"]);
}

#[test]
fn an_api_key_that_is_new_is_asked_about() {
    let home = home_with("customApiKeyResponses", json!({}));
    let project = home.project("project");
    let (id, terminal) = waiting(&home, &project, "API key");
    home.expect(terminal.wait_for("Do you want to use this API key?", EVENT_TIMEOUT));
    choose(&home, &terminal, "Yes", "Up");
    home.wait(&id, "idle");
    assert_eq!(home.api.prompts(), ["hello"]);
}

#[test]
fn a_claude_that_was_never_set_up_is_shown_to_wait_for_that() {
    let home = home_with("hasCompletedOnboarding", json!(false));
    let project = home.project("project");
    let (id, terminal) = waiting(&home, &project, "set up");
    home.expect(terminal.wait_for("Choose the text style", EVENT_TIMEOUT));
    home.ok(&["terminate", &id]);
    home.expect(terminal.wait_for(&format!("{id} was terminated."), EVENT_TIMEOUT));
}
