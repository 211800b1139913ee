//! API errors: the displayed reason, and the outcome.

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{TestHome, text_of};

/// Sends a message, and waits until the session reports the API error and that Claude retries.
fn send_and_wait_for_reason(home: &TestHome, id: &str, text: &str, status: &str) -> String {
    let message = home.send(id, text);
    let session = home.wait_session(id, "the reason is displayed", |session| {
        session["statusReason"].as_str().is_some_and(|reason| reason.contains(status))
    });
    assert_eq!(session["status"], "active", "{session}");
    assert!(text_of(&session, "statusReason").contains("tries again in"), "{session}");
    message
}

#[test]
fn a_rate_limit_with_retry_after_is_displayed_and_retried() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let message = send_and_wait_for_reason(&home, &id, "error: 429 1 after=5", "429");
    assert!(home.ok(&["show", &id]).contains("429"));
    bystander.assert_responsive(&home);
    home.wait_message(&id, &message, "done");
    assert!(home.ok(&["logs", &id]).contains("Recovered from error 429."));
    assert_eq!(home.session(&id)["statusReason"], serde_json::Value::Null);
}

#[test]
fn a_rate_limit_without_retry_after_is_displayed_and_retried() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let message = send_and_wait_for_reason(&home, &id, "error: 429 3 after=none", "429");
    bystander.assert_responsive(&home);
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompt_count_of("error: 429 3 after=none"), 4);
}

#[test]
fn a_persistent_rate_limit_fails_the_turn_and_pauses_the_queue() {
    let home = TestHome::new().with("CLAUDE_CODE_MAX_RETRIES", "1");
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "error: 429");
    let waiting = home.send(&id, "after");
    home.wait_message(&id, &message, "failed");
    let failed = home.message(&id, &message);
    assert!(text_of(&failed, "error").contains("429"), "{failed}");
    // Claude reports the result of a turn before it reports that it is idle.
    home.wait(&id, "idle");
    assert_eq!(home.session(&id)["attention"]["kind"], "failed");
    assert_eq!(home.message(&id, &waiting)["state"], "queued");
    bystander.assert_responsive(&home);
    home.ok(&["queue", "skip", &message]);
    home.wait_message(&id, &waiting, "done");
}

#[test]
fn a_rejected_login_affects_only_its_session() {
    let home = TestHome::new().with("CLAUDE_CODE_MAX_RETRIES", "1");
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "error: 401");
    let waiting = home.send(&id, "after");
    assert_eq!(home.wait_error(&id), "login_needed");
    assert_eq!(home.message(&id, &message)["state"], "failed");
    assert_eq!(home.queued_texts(&id), ["after"]);
    assert!(home.ok(&["show", &id]).contains("areyouj restart"));
    bystander.assert_responsive(&home);
    home.ok(&["restart", &id]);
    home.ok(&["queue", "skip", &message]);
    home.wait_message(&id, &waiting, "done");
}

#[test]
fn a_claude_without_a_login_is_an_error() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let home = home.with("ANTHROPIC_API_KEY", "");
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "hello");
    assert_eq!(home.wait_error(&id), "login_needed");
    assert_ne!(home.message(&id, &message)["state"], "done");
    assert_eq!(home.api.prompt_count_of("hello"), 0);
    bystander.assert_responsive(&home);
}
