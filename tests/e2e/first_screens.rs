//! Dialogs that Claude displays in its terminal at the start: the session waits with a reason, and continues once a
//! person has answered.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};
use areyouj_tests::tmux::Terminal;
use serde_json::{Value, json};

const SIZE: (u16, u16) = (90, 30);

/// How long Claude can take to display the effect of a key on a busy machine.
const KEY_TIMEOUT: Duration = Duration::from_secs(5);

/// A home with this value in Claude's own settings.
fn home_with(name: &str, value: Value) -> TestHome {
    let home = TestHome::new();
    let path = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).join(".claude.json");
    let settings = home.expect(fs::read(&path).map_err(Into::into));
    let mut settings: Value = home.expect(serde_json::from_slice(&settings).map_err(Into::into));
    settings[name] = value;
    home.expect(fs::write(&path, settings.to_string()).map_err(Into::into));
    home
}

/// A session with a message that waits for Claude's start, and a terminal attached to it. The reason must contain this
/// word.
fn session_with_dialog(home: &TestHome, directory: &Path, word: &str) -> (String, Terminal) {
    let id =
        home.new_session(directory, &["--driver", "terminal", "--permission-mode", "default", "-m", "hello"]);
    let session =
        home.wait_session(&id, "a dialog at the start", |session| text_of(session, "status") == "waiting");
    let attention = &session["attention"];
    assert_eq!(attention["kind"], "terminal");
    assert!(attention["title"].as_str().is_some_and(|title| title.contains(word)), "{session:#?}");
    let terminal = home.expect(Terminal::open(&home.cli.directory, &home.cli.environment, SIZE));
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    (id, terminal)
}

/// Selects and confirms the option with this text. Claude ignores keys right after it has drawn a dialog, so a key
/// without an effect is pressed again.
fn choose(home: &TestHome, terminal: &Terminal, text: &str, key: &str) {
    home.expect(terminal.wait_for(text, EVENT_TIMEOUT));
    let marked = format!("❯ {text}");
    let until = Instant::now() + EVENT_TIMEOUT;
    loop {
        home.expect(terminal.press(&[key]));
        let moved = terminal.wait_for(&marked, KEY_TIMEOUT);
        if moved.is_ok() || Instant::now() > until {
            home.expect(moved);
            break;
        }
    }
    home.expect(terminal.press(&["Enter"]));
}

#[test]
fn the_trust_dialog_of_a_directory_is_reported() {
    let home = TestHome::new();
    let elsewhere = home.path().join("elsewhere");
    home.expect(fs::create_dir_all(&elsewhere).map_err(Into::into));
    let (id, terminal) = session_with_dialog(&home, &elsewhere, "trust");
    choose(&home, &terminal, "Yes, I trust this folder", "Down");
    home.wait(&id, "idle");
    assert_eq!(home.api.prompts(), ["hello"]);
}

#[test]
fn the_dialog_of_a_new_api_key_is_reported() {
    let home = home_with("customApiKeyResponses", json!({}));
    let project = home.project("project");
    let (id, terminal) = session_with_dialog(&home, &project, "API key");
    home.expect(terminal.wait_for("Do you want to use this API key?", EVENT_TIMEOUT));
    choose(&home, &terminal, "Yes", "Up");
    home.wait(&id, "idle");
    assert_eq!(home.api.prompts(), ["hello"]);
}

#[test]
fn the_set_up_dialog_of_claude_is_reported() {
    let home = home_with("hasCompletedOnboarding", json!(false));
    let project = home.project("project");
    let (id, terminal) = session_with_dialog(&home, &project, "set up");
    home.expect(terminal.wait_for("Choose the text style", EVENT_TIMEOUT));
    home.ok(&["terminate", &id]);
    home.expect(terminal.wait_for(&format!("{id} was terminated."), EVENT_TIMEOUT));
}
