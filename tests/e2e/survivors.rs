//! Processes of a session that kill their own host to outlive it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id, text_of};
use areyouj_tests::processes;

/// The polling interval for a file without change notifications.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A process that the test ends, whatever became of it.
struct Ended(i32);

impl Drop for Ended {
    fn drop(&mut self) {
        if processes::is_running(self.0) {
            let _ = processes::kill(self.0);
        }
    }
}

/// A process of a person, with a limit as low as the mark of a session's processes.
struct Persons(Child);

impl Persons {
    fn start() -> Persons {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -m 1000; exec sleep 1000"]).stdout(Stdio::null());
        Persons(command.spawn().unwrap())
    }
}

impl Drop for Persons {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lets a session's Claude run a script that leaves a process behind, without its environment and its terminal session,
/// and kills the host once this file exists. Returns the process that was left.
fn leave(home: &TestHome, id: &str, before: &str, awaited: &str) -> Ended {
    let project = home.project("project");
    let host = process_id(&home.session(id), "hostPid");
    let script = format!(
        "(env -i setsid sh -c '{before} echo $$ >survivor.new; mv survivor.new survivor; exec sleep 1000' \
         >/dev/null 2>&1 </dev/null &)\nwhile [ ! -e {awaited} ]; do sleep 0.01; done\nkill -9 {host}\n"
    );
    fs::write(project.join("leave.sh"), script).unwrap();
    home.send(id, "run: sh leave.sh");
    let request = home.wait_permission_request(id);
    home.ok(&["allow", &text_of(&request, "id")]);
    let end = Instant::now() + EVENT_TIMEOUT;
    loop {
        if let Ok(pid) = fs::read_to_string(project.join("survivor")) {
            return Ended(pid.trim().parse().unwrap());
        }
        assert!(Instant::now() < end, "the script does not run");
        std::thread::park_timeout(POLL_INTERVAL);
    }
}

#[test]
fn a_process_that_kills_its_host_does_not_outlive_it() {
    for before in ["", "ulimit -Hm 1000;"] {
        let home = TestHome::new();
        let other = home.idle_session(&home.project("other"), &[]);
        let id = home.idle_session(&home.project("project"), &[]);
        let (persons, untouched) = (Persons::start(), home.session(&other));
        let survivor = leave(&home, &id, before, "survivor");
        assert!(processes::wait_for_exit(survivor.0, EVENT_TIMEOUT), "it outlives its host ({before})");
        assert!(processes::is_running(persons.0.id().cast_signed()), "a person's process was killed");
        let after = home.session(&other);
        assert_eq!((&after["pid"], &after["hostPid"]), (&untouched["pid"], &untouched["hostPid"]));
        home.send_and_wait(&other, "still here");
    }
}

#[test]
fn a_process_that_killed_its_host_while_no_daemon_ran_is_ended_by_the_next_daemon() {
    for command in ["ls", "terminate"] {
        let home = TestHome::new();
        let id = home.idle_session(&home.project("project"), &[]);
        let host = process_id(&home.session(&id), "hostPid");
        let survivor = leave(&home, &id, "", "go");
        home.kill(home.daemon_pid());
        fs::write(home.project("project").join("go"), "").unwrap();
        assert!(processes::wait_for_exit(host, EVENT_TIMEOUT));
        assert!(processes::is_running(survivor.0), "it must outlive its host until there is a daemon");
        if command == "terminate" {
            home.ok(&["terminate", &id]);
            home.wait(&id, "terminated");
        } else {
            home.ok(&["ls"]);
        }
        assert!(processes::wait_for_exit(survivor.0, EVENT_TIMEOUT), "it outlives `{command}`");
    }
}
