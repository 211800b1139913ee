//! The conversation of a session: every new Claude continues it, and none begins another one unnoticed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use areyouj_tests::home::{TestHome, process_id, text_of};
use areyouj_tests::processes;
use serde_json::{Value, json};

/// A home with a session that was cleared in the middle, and the session's id.
fn cleared(options: &[&str]) -> (TestHome, String) {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), options);
    for text in ["before the clear", "/clear", "after the clear"] {
        home.say(&id, text);
    }
    (home, id)
}

/// Says one thing more, which must reach Claude together with what was said after the clear and nothing before it.
#[track_caller]
fn continues_after_the_clear(home: &TestHome, id: &str) {
    home.say(id, "one thing more");
    let sent = home.api.newest().conversation;
    assert!(sent.iter().any(|text| text.contains("after the clear")), "lost what was said: {sent:#?}");
    assert!(!sent.iter().any(|text| text.contains("before the clear")), "not cleared: {sent:#?}");
}

/// Waits until another Claude than that of `before` is ready.
fn wait_for_another(home: &TestHome, id: &str, before: &Value) {
    home.wait_session(id, "another Claude is ready", |session| {
        session["status"] == "idle" && session["pid"].is_i64() && session["pid"] != before["pid"]
    });
}

/// The file in which Claude keeps the conversation.
fn record(home: &TestHome, id: &str) -> PathBuf {
    let projects = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).join("projects");
    let name = format!("{}.jsonl", text_of(&home.session(id), "claudeSessionId"));
    let folders = home.expect(fs::read_dir(projects).context("Claude keeps no records"));
    let mut records = folders.flatten().map(|folder| folder.path().join(&name));
    home.expect(records.find(|record| record.is_file()).context(name.clone()))
}

#[test]
fn a_claude_that_is_killed_after_a_clear_comes_back_with_what_was_said_since() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    home.kill(process_id(&before, "pid"));
    wait_for_another(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_restart_after_a_clear_continues_with_what_was_said_since() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    home.ok(&["restart", &id]);
    wait_for_another(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_daemon_that_comes_back_after_a_clear_continues_with_what_was_said_since() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    let daemon = home.daemon_pid();
    for pid in [daemon, process_id(&before, "hostPid")] {
        home.expect(processes::kill(pid));
    }
    wait_for_another(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_switch_after_a_clear_continues_with_what_was_said_since() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    home.ok(&["switch-driver", &id, "terminal"]);
    wait_for_another(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_terminal_that_is_restarted_after_a_clear_continues_with_what_was_said_since() {
    let (home, id) = cleared(&["--driver", "terminal"]);
    let before = home.session(&id);
    home.ok(&["restart", &id]);
    wait_for_another(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_conversation_whose_record_is_gone_is_an_error_until_the_record_is_back() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.say(&id, "remember this");
    let record = record(&home, &id);
    let elsewhere = home.path().join("kept.jsonl");
    fs::rename(&record, &elsewhere).unwrap();
    home.kill(process_id(&home.session(&id), "pid"));
    assert_eq!(home.wait_error(&id), "conversation_not_found");
    let error = home.session(&id)["error"].clone();
    let searched = record.parent().and_then(Path::parent).unwrap();
    assert!(text_of(&error, "message").contains(searched.to_str().unwrap()), "{error}");
    assert_eq!(
        (&error["remedy"]["kind"], &error["remedy"]["sessionId"]),
        (&json!("restart_session"), &json!(id)),
        "{error}"
    );
    home.send(&id, "and go on");
    home.areyouj(&["restart", &id]);
    assert_eq!(home.wait_error(&id), "conversation_not_found");
    assert_eq!(
        (home.waiting(&id), home.api.prompts()),
        (vec!["and go on".into()], vec!["remember this".into()])
    );

    fs::rename(&elsewhere, &record).unwrap();
    home.ok(&["restart", &id]);
    home.wait(&id, "idle");
    home.say(&id, "one thing more");
    let sent = home.api.newest().conversation;
    for text in ["remember this", "and go on"] {
        assert!(sent.iter().any(|known| known.contains(text)), "{sent:#?}");
    }
}

#[test]
fn a_relative_configuration_directory_is_one_of_the_sessions_directory() {
    let home = TestHome::new().with("CLAUDE_CONFIG_DIR", "./claude");
    let id = home.idle_session(&home.project("project"), &[]);
    home.say(&id, "remember this");
    let before = home.session(&id);
    home.kill(process_id(&before, "pid"));
    wait_for_another(&home, &id, &before);
    home.say(&id, "one thing more");
    let sent = home.api.newest().conversation;
    assert!(sent.iter().any(|text| text.contains("remember this")), "{sent:#?}");
}
