//! The end of a session.

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};
use areyouj_tests::processes::Process;

/// What runs in this home besides the daemon.
fn others(home: &TestHome) -> Vec<Process> {
    let daemon = home.daemon_pid();
    home.processes().into_iter().filter(|process| process.pid != daemon).collect()
}

#[test]
fn a_terminated_session_leaves_no_process_behind() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "hello");
    assert!(!others(&home).is_empty());
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    assert_eq!(others(&home), []);
    assert!(home.sessions().is_empty());
    assert!(home.ok(&["ls", "--all"]).contains(&id));
    assert!(home.ok(&["logs", &id]).contains("Echo: hello"), "the transcript stays");
}

#[test]
fn not_even_a_process_that_left_the_group_is_left_behind() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "run: setsid sleep 1000 >/dev/null 2>&1 & touch started");
    let prompt = home.wait_permission_request(&id);
    home.ok(&["allow", &text_of(&prompt, "id")]);
    home.wait_message(&id, &message, "done");
    let sleeping = |home: &TestHome| others(home).iter().any(|process| process.command == "sleep 1000");
    assert!(sleeping(&home), "{:#?}", others(&home));
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    assert_eq!(others(&home), []);
}

#[test]
fn a_running_turn_does_not_keep_a_session_from_ending() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    assert_eq!(others(&home), []);
    assert_eq!(home.message(&id, &message)["state"], "interrupted");
}

#[test]
fn a_terminated_session_takes_no_messages() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    assert_eq!(home.error_code(&["send", &id, "too late"]), "session_terminated");
}

#[test]
fn a_session_is_removed_only_when_it_is_terminated() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    assert_eq!(home.error_code(&["rm", &id]), "session_not_terminated");
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    home.ok(&["rm", &id]);
    assert_eq!(home.error_code(&["show", &id]), "session_not_found");
    assert!(!home.path().join("state/sessions").join(&id).exists(), "its journal is gone");
}

#[test]
fn files_that_a_killed_daemon_left_of_a_removed_session_go_with_the_next() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let kept = home.idle_session(&home.project("other"), &[]);
    home.ok(&["terminate", &id]);
    home.ok(&["rm", &id]);
    let files = home.path().join("state/sessions");
    std::fs::create_dir_all(files.join(&id).join("journal")).unwrap();
    home.kill(home.daemon_pid());
    home.ok(&["ls"]);
    assert!(!files.join(&id).exists());
    assert!(files.join(&kept).exists());
}
