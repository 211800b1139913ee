//! Hosts that do not respond, or whose connection breaks. These tests use the stand-in, because they do not depend on
//! Claude.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id};
use areyouj_tests::processes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The frame with which a daemon connects to a host: length, kind, contract.
const HELLO: [u8; 9] = [5, 0, 0, 0, 1, 2, 0, 0, 0];

fn stop(home: &TestHome, pid: i32) {
    home.expect(kill(Pid::from_raw(pid), Signal::SIGSTOP).map_err(Into::into));
}

#[test]
fn a_daemon_reconnects_to_a_host_after_another_client_took_its_place() {
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
fn a_session_whose_host_is_stopped_can_be_terminated() {
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
            "{member} is still running"
        );
    }
}

#[test]
fn a_stopped_host_does_not_delay_the_start_of_a_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let (id, other) =
        (home.idle_session(&home.project("project"), &[]), home.idle_session(&home.project("other"), &[]));
    let session = home.session(&id);
    let host = process_id(&session, "hostPid");
    home.kill(home.daemon_pid());
    stop(&home, host);
    // More requests than any queue can hold.
    for _ in 0..70 {
        home.ok(&["restart", &id]);
    }
    home.send_and_wait(&other, "meanwhile");
    // The host does not stop for the restart, so it is killed, and the session starts again.
    home.wait_session(&id, "the session is running again", |now| {
        now["status"] == "idle" && now["hostPid"].is_i64() && now["hostPid"] != session["hostPid"]
    });
    home.send_and_wait(&id, "and it continues");
}

#[test]
fn a_host_exits_on_sigterm_and_its_session_is_resumed_by_the_next_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let session = home.session(&id);
    home.ok(&["daemon", "stop"]);
    kill(Pid::from_raw(process_id(&session, "hostPid")), Signal::SIGTERM).unwrap();
    assert_eq!(processes::wait_until_gone(home.path(), EVENT_TIMEOUT), []);
    home.wait_session(&id, "the session is running again", |now| {
        now["status"] == "idle" && now["pid"].is_i64() && now["pid"] != session["pid"]
    });
    home.send_and_wait(&id, "after");
}
