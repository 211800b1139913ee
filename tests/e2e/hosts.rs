//! Hosts that do not do what they should, or whose connection breaks. The stand-in: what Claude does is not the point.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id};
use areyouj_tests::processes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The frame with which a daemon takes a host over: a length, a kind, the contract.
const HELLO: [u8; 9] = [5, 0, 0, 0, 1, 2, 0, 0, 0];

fn stop(home: &TestHome, pid: i32) {
    home.expect(kill(Pid::from_raw(pid), Signal::SIGSTOP).map_err(Into::into));
}

#[test]
fn a_session_whose_host_was_taken_over_by_somebody_else_is_found_again() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let before = home.session(&id);
    for round in 0..3 {
        let mut stranger = UnixStream::connect(home.path().join(format!("run/{id}.sock"))).unwrap();
        stranger.write_all(&HELLO).unwrap();
        stranger.read_exact(&mut [0; 1]).unwrap();
        drop(stranger);
        home.send_and_wait(&id, &format!("message {round}"));
    }
    assert_eq!(home.session(&id)["pid"], before["pid"]);
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
}

#[test]
fn a_session_whose_host_stands_still_can_be_terminated() {
    let home = TestHome::with_stand_in("obedient");
    let (id, other) =
        (home.idle_session(&home.project("project"), &[]), home.idle_session(&home.project("other"), &[]));
    let session = home.session(&id);
    stop(&home, process_id(&session, "hostPid"));
    home.ok(&["terminate", &id]);
    home.send_and_wait(&other, "meanwhile");
    home.wait(&id, "terminated");
    for member in ["pid", "hostPid"] {
        assert!(
            processes::wait_for_exit(process_id(&session, member), EVENT_TIMEOUT),
            "{member} is left behind"
        );
    }
}

#[test]
fn a_host_that_stands_still_when_a_daemon_starts_holds_nobody_else_up() {
    let home = TestHome::with_stand_in("obedient");
    let (id, other) =
        (home.idle_session(&home.project("project"), &[]), home.idle_session(&home.project("other"), &[]));
    let session = home.session(&id);
    let host = process_id(&session, "hostPid");
    home.kill(home.daemon_pid());
    stop(&home, host);
    // More than any mailbox would hold.
    for _ in 0..70 {
        home.ok(&["restart", &id]);
    }
    home.send_and_wait(&other, "meanwhile");
    // It was told to stop for the restart and does not: it is killed, and the session starts anew.
    home.wait_session(&id, "the session is back", |now| {
        now["status"] == "idle" && now["hostPid"].is_i64() && now["hostPid"] != session["hostPid"]
    });
    home.send_and_wait(&id, "and on it goes");
}

#[test]
fn a_host_that_is_told_to_go_by_the_machine_goes_and_comes_back_with_the_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let session = home.session(&id);
    home.ok(&["daemon", "stop"]);
    kill(Pid::from_raw(process_id(&session, "hostPid")), Signal::SIGTERM).unwrap();
    assert_eq!(processes::wait_until_gone(home.path(), EVENT_TIMEOUT), []);
    home.wait_session(&id, "the session is back", |now| {
        now["status"] == "idle" && now["pid"].is_i64() && now["pid"] != session["pid"]
    });
    home.send_and_wait(&id, "after");
}
