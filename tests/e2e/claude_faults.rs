//! A Claude that is missing, does not start, or misbehaves.

use std::fs;
use std::path::Path;

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{TestHome, process_id, text_of};
use areyouj_tests::processes;

#[test]
fn a_session_is_not_created_without_claude() {
    let home = TestHome::with_claude(Path::new("/nonexistent/claude"));
    let directory = home.project("project");
    assert_eq!(home.error_code(&["new", directory.to_str().unwrap()]), "claude_not_found");
    assert!(home.sessions().is_empty());
}

#[test]
fn a_claude_that_is_not_executable_is_reported() {
    let home = TestHome::with_stand_in("obedient");
    let directory = home.project("project");
    let plain = directory.join("claude");
    fs::write(&plain, "not a program").unwrap();
    let home = home.with("AREYOUJ_CLAUDE", plain.to_str().unwrap());
    assert_eq!(home.error_code(&["new", directory.to_str().unwrap()]), "claude_not_executable");
}

#[test]
fn a_directory_in_place_of_claude_is_reported() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let directory = home.project("project");
    let home = home.with("AREYOUJ_CLAUDE", directory.to_str().unwrap());
    let error = home.rejection(&["new", directory.to_str().unwrap()]);
    assert_eq!(error["code"], "claude_not_executable");
    assert!(text_of(&error, "message").contains("AREYOUJ_CLAUDE"), "{error}");
    bystander.assert_responsive(&home);
}

#[test]
fn a_claude_that_was_removed_or_is_not_executable_is_reported_at_the_next_start() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let link = home.path().join("claude");
    std::os::unix::fs::symlink(&home.cli.environment["AREYOUJ_CLAUDE"], &link).unwrap();
    let home = home.with("AREYOUJ_CLAUDE", link.to_str().unwrap());
    let id = home.idle_session(&home.project("project"), &[]);
    fs::remove_file(&link).unwrap();
    home.areyouj(&["restart", &id]);
    assert_eq!(home.wait_error(&id), "claude_not_found");
    fs::write(&link, "not a program").unwrap();
    home.areyouj(&["restart", &id]);
    assert_eq!(home.wait_error(&id), "claude_not_executable");
    bystander.assert_responsive(&home);
}

/// Uses the real Claude, which rejects its arguments.
#[test]
fn the_error_of_a_claude_that_rejects_a_mode_is_reported() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let id = home.new_session(&home.project("project"), &["--permission-mode", "reckless", "-m", "patience"]);
    assert_eq!(home.wait_error(&id), "claude_start_failed");
    let error = home.session(&id)["error"].clone();
    assert!(text_of(&error, "log").contains("reckless"), "{error}");
    assert_eq!(home.queued_texts(&id), ["patience"]);
    bystander.assert_responsive(&home);
}

/// Uses a real program that is not Claude.
#[test]
fn the_error_of_a_program_that_is_not_claude_is_reported() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let home = home.with("AREYOUJ_CLAUDE", "/bin/cat");
    let id = home.new_session(&home.project("project"), &["-m", "patience"]);
    assert_eq!(home.wait_error(&id), "claude_start_failed");
    let error = home.session(&id)["error"].clone();
    assert!(text_of(&error, "log").contains("option"), "{error}");
    assert_eq!(home.queued_texts(&id), ["patience"]);
    bystander.assert_responsive(&home);
}

#[test]
fn a_claude_that_exits_at_start_is_retried_and_then_its_error_is_reported() {
    let home = TestHome::with_stand_in("exits");
    let id = home.new_session(&home.project("project"), &[]);
    assert_eq!(home.wait_error(&id), "claude_start_failed");
    let error = home.session(&id)["error"].clone();
    assert!(text_of(&error, "log").contains("the moon is in the wrong phase"), "{error}");
    assert!(!text_of(&error, "hint").is_empty());
}

#[test]
fn a_message_waits_while_claude_does_not_start_and_a_person_can_retry() {
    let home = TestHome::with_stand_in("refuses");
    let id = home.new_session(&home.project("project"), &["-m", "patience"]);
    assert_eq!(home.wait_error(&id), "claude_start_failed");
    assert_eq!(home.queued_texts(&id), ["patience"]);
    home.ok(&["restart", &id]);
    home.wait_session(&id, "Claude is started again", |session| session["status"] != "error");
    assert_eq!(home.wait_error(&id), "claude_start_failed");
    assert_eq!(home.queued_texts(&id), ["patience"]);
}

/// This test takes a minute: the timeout for Claude's start.
#[test]
fn a_claude_that_does_not_respond_is_killed_and_restarted() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let home = home.with("AREYOUJ_STANDIN", "silent");
    let id = home.new_session(&home.project("project"), &["-m", "patience"]);
    let first = home.wait_session(&id, "Claude is running", |session| session["pid"].is_i64());
    let second = home.wait_session(&id, "another Claude is running", |session| {
        session["pid"].is_i64() && session["pid"] != first["pid"]
    });
    assert_eq!(second["status"], "starting");
    assert!(text_of(&second, "statusReason").len() > 1, "{second}");
    assert!(!processes::is_running(process_id(&first, "pid")));
    assert_eq!(home.queued_texts(&id), ["patience"]);
    bystander.assert_responsive(&home);
}

#[test]
fn invalid_lines_are_ignored() {
    let home = TestHome::with_stand_in("garbage");
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "hello");
    assert!(home.ok(&["logs", &id]).contains("The stand-in received message 1."));
}

#[test]
fn a_flood_of_output_is_processed_completely_and_does_not_affect_other_sessions() {
    let home = TestHome::with_stand_in("flood");
    let flooded = home.idle_session(&home.project("flooded"), &[]);
    let message = home.send(&flooded, "pour");
    let other = home.idle_session(&home.project("other"), &[]);
    home.send_and_wait(&other, "hello");
    home.wait_message(&flooded, &message, "done");
    assert!(home.ok(&["logs", &flooded]).contains("The stand-in received message 1."));
}

#[test]
fn a_deleted_directory_is_reported_when_claude_restarts() {
    let home = TestHome::with_stand_in("obedient");
    let directory = home.project("project");
    let id = home.idle_session(&directory, &[]);
    fs::remove_dir_all(&directory).unwrap();
    home.kill(process_id(&home.session(&id), "pid"));
    assert_eq!(home.wait_error(&id), "directory_missing");
    fs::create_dir(&directory).unwrap();
    home.ok(&["restart", &id]);
    home.wait(&id, "idle");
}
