//! The conversation of a session: every new Claude process continues it, and never silently starts another one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use areyouj_tests::home::{TestHome, process_id, text_of};
use areyouj_tests::processes;
use serde_json::{Value, json};

/// A home with a session whose conversation was cleared with `/clear`, and the session's id.
fn cleared(options: &[&str]) -> (TestHome, String) {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), options);
    for text in ["before the clear", "/clear", "after the clear"] {
        home.send_and_wait(&id, text);
    }
    (home, id)
}

/// Sends another message. Claude must receive it together with the conversation after `/clear`, and nothing before.
#[track_caller]
fn continues_after_the_clear(home: &TestHome, id: &str) {
    home.send_and_wait(id, "one more message");
    let sent = home.api.newest().conversation;
    assert!(sent.iter().any(|text| text.contains("after the clear")), "the conversation was lost: {sent:#?}");
    assert!(!sent.iter().any(|text| text.contains("before the clear")), "not cleared: {sent:#?}");
}

/// Waits until a Claude process other than that of `before` is ready.
fn wait_for_new_claude(home: &TestHome, id: &str, before: &Value) {
    home.wait_session(id, "another Claude is ready", |session| {
        session["status"] == "idle" && session["pid"].is_i64() && session["pid"] != before["pid"]
    });
}

/// The file in which Claude records the conversation.
fn record(home: &TestHome, id: &str) -> PathBuf {
    let projects = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).join("projects");
    let name = format!("{}.jsonl", text_of(&home.session(id), "claudeSessionId"));
    let folders = home.expect(fs::read_dir(projects).context("Claude has no records"));
    let mut records = folders.flatten().map(|folder| folder.path().join(&name));
    home.expect(records.find(|record| record.is_file()).context(name.clone()))
}

#[test]
fn a_killed_claude_continues_the_conversation_after_a_clear() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    home.kill(process_id(&before, "pid"));
    wait_for_new_claude(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_restart_continues_the_conversation_after_a_clear() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    home.ok(&["restart", &id]);
    wait_for_new_claude(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_new_daemon_continues_the_conversation_after_a_clear() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    let daemon = home.daemon_pid();
    for pid in [daemon, process_id(&before, "hostPid")] {
        home.expect(processes::kill(pid));
    }
    wait_for_new_claude(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_switch_of_the_driver_continues_the_conversation_after_a_clear() {
    let (home, id) = cleared(&[]);
    let before = home.session(&id);
    home.ok(&["switch-driver", &id, "terminal"]);
    wait_for_new_claude(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_restart_in_a_terminal_continues_the_conversation_after_a_clear() {
    let (home, id) = cleared(&["--driver", "terminal"]);
    let before = home.session(&id);
    home.ok(&["restart", &id]);
    wait_for_new_claude(&home, &id, &before);
    continues_after_the_clear(&home, &id);
}

#[test]
fn a_missing_record_of_the_conversation_is_an_error_until_it_is_restored() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "remember this");
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
        (&json!("restartSession"), &json!(id)),
        "{error}"
    );
    home.send(&id, "and continue");
    home.areyouj(&["restart", &id]);
    assert_eq!(home.wait_error(&id), "conversation_not_found");
    assert_eq!(
        (home.queued_texts(&id), home.api.prompts()),
        (vec!["and continue".into()], vec!["remember this".into()])
    );

    fs::rename(&elsewhere, &record).unwrap();
    home.ok(&["restart", &id]);
    home.wait(&id, "idle");
    home.send_and_wait(&id, "one more message");
    let sent = home.api.newest().conversation;
    for text in ["remember this", "and continue"] {
        assert!(sent.iter().any(|known| known.contains(text)), "{sent:#?}");
    }
}

#[test]
fn a_relative_configuration_directory_is_relative_to_the_sessions_directory() {
    let home = TestHome::new();
    // Claude's record of what this user trusts.
    let record = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).join(".claude.json");
    let home = home.with("CLAUDE_CONFIG_DIR", "./claude");
    let project = home.project("project");
    fs::create_dir(project.join("claude")).unwrap();
    fs::copy(record, project.join("claude/.claude.json")).unwrap();
    let id = home.idle_session(&project, &[]);
    home.send_and_wait(&id, "remember this");
    let before = home.session(&id);
    home.kill(process_id(&before, "pid"));
    wait_for_new_claude(&home, &id, &before);
    home.send_and_wait(&id, "one more message");
    let sent = home.api.newest().conversation;
    assert!(sent.iter().any(|text| text.contains("remember this")), "{sent:#?}");
}
