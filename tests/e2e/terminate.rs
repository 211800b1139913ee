//! Terminating and deleting sessions.

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};
use areyouj_tests::processes::Process;

/// The processes of this home, without the daemon.
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
    assert!(home.ok(&["logs", &id]).contains("Echo: hello"), "the transcript must remain");
}

#[test]
fn a_process_that_left_the_process_group_is_terminated_too() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "run: setsid sleep 1000 >/dev/null 2>&1 & touch started");
    let request = home.wait_permission_request(&id);
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&id, &message, "done");
    let sleeping = |home: &TestHome| others(home).iter().any(|process| process.command == "sleep 1000");
    assert!(sleeping(&home), "{:#?}", others(&home));
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    assert_eq!(others(&home), []);
}

#[test]
fn a_session_with_a_running_turn_can_be_terminated() {
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
fn a_terminated_session_accepts_no_messages() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    assert_eq!(home.error_code(&["send", &id, "too late"]), "session_terminated");
}

#[test]
fn only_a_terminated_session_can_be_deleted() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    assert_eq!(home.error_code(&["rm", &id]), "session_not_terminated");
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    home.ok(&["rm", &id]);
    assert_eq!(home.error_code(&["show", &id]), "session_not_found");
    assert!(!home.path().join("state/sessions").join(&id).exists(), "its journal must be deleted");
}

#[test]
fn files_of_a_deleted_session_that_a_killed_daemon_left_are_deleted_by_the_next_daemon() {
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
