//! The permission mode and the model of a session: the current ones survive every restart, and permissions never grow.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::Context;
use areyouj_tests::home::{TestHome, process_id, text_of};
use serde_json::json;

/// A home whose Claude always starts with these additional options.
fn with_options(options: &str) -> TestHome {
    let home = TestHome::new();
    let claude = home.cli.environment["AREYOUJ_CLAUDE"].to_string_lossy().into_owned();
    let wrapper = home.path().join("claude");
    let script = format!("#!/bin/sh\nexec '{claude}' \"$@\" {options}\n");
    let written = fs::write(&wrapper, script);
    let executable = written.and_then(|()| fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)));
    home.expect(executable.context("the wrapper cannot be created"));
    let wrapper = wrapper.to_string_lossy();
    home.with("AREYOUJ_CLAUDE", &wrapper)
}

fn kill_and_wait(home: &TestHome, id: &str) -> String {
    let before = home.session(id);
    home.kill(process_id(&before, "pid"));
    let after = home.wait_session(id, "another Claude is ready", |session| {
        session["status"] == "idle" && session["pid"].is_i64() && session["pid"] != before["pid"]
    });
    text_of(&after, "permissionMode")
}

#[test]
fn a_new_claude_has_the_current_permission_mode_and_not_the_initial_one() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &["--permission-mode", "bypassPermissions"]);
    assert_eq!(home.session(&id)["permissionMode"], "bypassPermissions");
    home.send_and_wait(&id, "think first:");
    assert_eq!(home.session(&id)["permissionMode"], "plan");
    assert_eq!(kill_and_wait(&home, &id), "plan");
    let file = home.project("project").join("file.txt");
    fs::write(&file, "before").unwrap();
    home.send(&id, &format!("edit: {} | before | after", file.display()));
    let request = home.wait_permission_request(&id);
    assert_eq!(fs::read_to_string(&file).unwrap(), "before", "the file must not change without permission");
    home.ok(&["deny", &text_of(&request, "id")]);
    home.wait(&id, "idle");
}

#[test]
fn the_permission_mode_is_known_as_soon_as_claude_is_ready() {
    let home = TestHome::new();
    let directory = home.project("project");
    fs::create_dir(directory.join(".claude")).unwrap();
    let settings = r#"{"permissions": {"defaultMode": "acceptEdits"}}"#;
    fs::write(directory.join(".claude/settings.json"), settings).unwrap();
    let id = home.idle_session(&directory, &[]);
    assert_eq!(home.session(&id)["permissionMode"], "acceptEdits");
    fs::write(directory.join(".claude/settings.json"), "{}").unwrap();
    assert_eq!(kill_and_wait(&home, &id), "acceptEdits");
}

#[test]
fn a_claude_with_a_wider_permission_mode_than_requested_receives_no_messages() {
    let home = with_options("--permission-mode acceptEdits");
    let id = home.new_session(&home.project("project"), &["--permission-mode", "plan", "-m", "hello"]);
    assert_eq!(home.wait_error(&id), "permission_mode_wider");
    let session = home.session(&id);
    let error = &session["error"];
    for mode in ["acceptEdits", "plan"] {
        assert!(text_of(error, "message").contains(mode), "{error}");
    }
    assert_eq!(
        (&error["remedy"]["kind"], &error["remedy"]["sessionId"]),
        (&json!("restartSession"), &json!(id)),
        "{error}"
    );
    home.areyouj(&["restart", &id]);
    let again = home.wait_session(&id, "its status is error again", |again| {
        again["status"] == "error" && again["statusSince"] != session["statusSince"]
    });
    assert_eq!(text_of(&again["error"], "code"), "permission_mode_wider");
    assert_eq!((home.queued_texts(&id), home.api.prompts()), (vec!["hello".into()], vec![]));
}

#[test]
fn a_claude_in_a_terminal_with_a_wider_permission_mode_is_stopped_at_its_first_message() {
    let home = with_options("--permission-mode acceptEdits");
    let options = ["--driver", "terminal", "--permission-mode", "plan", "-m", "hold: gate"];
    let id = home.new_session(&home.project("project"), &options);
    assert_eq!(home.wait_error(&id), "permission_mode_wider");
}

#[test]
fn a_new_claude_has_the_current_model_and_not_the_initial_one() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &["--model", "sonnet"]);
    home.send_and_wait(&id, "/model haiku");
    home.send_and_wait(&id, "before");
    let model = home.api.newest().model;
    assert!(model.contains("haiku"), "{model}");
    kill_and_wait(&home, &id);
    home.send_and_wait(&id, "after");
    assert_eq!(home.api.newest().model, model);
    assert_eq!(home.session(&id)["model"], model.as_str());
}
