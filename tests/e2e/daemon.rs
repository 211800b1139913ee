//! The daemon: one per user, started on demand, and sessions do not depend on it.

use std::collections::HashSet;

use areyouj_tests::cli::Run;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, rows, texts};
use serde_json::Value;

/// The number of clients that start at once.
const CLIENTS: usize = 20;

/// The default limit on active sessions.
const MAX_ACTIVE: usize = 10;

/// Uses the stand-in: this many real Claudes would be too expensive.
#[test]
fn concurrent_clients_start_one_daemon() {
    let home = TestHome::with_stand_in("obedient").with("AREYOUJ_MAX_ACTIVE", "20");
    let directory = home.project("project");
    let clients: Vec<_> = (0..CLIENTS).map(|_| home.spawn(&["new", directory.to_str().unwrap()])).collect();
    let ids: HashSet<String> = clients
        .into_iter()
        .map(|client| {
            home.expect(client.finish(EVENT_TIMEOUT).and_then(Run::success)).stdout.trim().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), CLIENTS);
    assert_eq!(home.sessions().into_iter().collect::<HashSet<_>>(), ids);
    let daemons =
        home.processes().iter().filter(|process| process.command.contains("areyouj daemon")).count();
    assert_eq!(daemons, 1, "{:#?}", home.processes());
}

/// Uses the stand-in: this many real Claudes would be too expensive.
#[test]
fn the_number_of_active_sessions_is_limited() {
    let home = TestHome::with_stand_in("obedient");
    let directory = home.project("project");
    let ids: Vec<String> = (0..MAX_ACTIVE).map(|_| home.new_session(&directory, &[])).collect();
    assert_eq!(home.error_code(&["new", directory.to_str().unwrap()]), "too_many_sessions");
    home.ok(&["terminate", &ids[0]]);
    home.wait(&ids[0], "terminated");
    home.idle_session(&directory, &[]);
    let all = texts(&rows(&home.json(&["ls", "--all"]), "sessions"), "id");
    assert_eq!(all.len(), MAX_ACTIVE + 1, "the rejected session left nothing behind");
}

#[test]
fn status_starts_nothing() {
    let home = TestHome::with_stand_in("obedient");
    assert_eq!(home.json(&["daemon", "status"])["running"], false);
    assert_eq!(home.processes(), []);
}

#[test]
fn status_shows_each_periodic_job_with_its_next_run() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    let status = home.json(&["daemon", "status"]);
    let job = &status["jobs"][0];
    assert_eq!(job["name"], "remove-leftover-files");
    assert_eq!((&job["lastRun"], &job["lastError"]), (&Value::Null, &Value::Null));
    let until = job["nextRun"].as_u64().unwrap() - status["startedAt"].as_u64().unwrap();
    // Beside the seconds that the daemon took to start.
    assert!((3_590_000..=3_660_000).contains(&until), "{status:#}");
    assert!(home.ok(&["daemon", "status"]).contains("remove-leftover-files"));
}

#[test]
fn the_daemon_and_the_hosts_have_sessions_of_their_own() {
    let home = TestHome::with_stand_in("obedient");
    home.idle_session(&home.project("project"), &[]);
    let ours = nix::unistd::getsid(None).unwrap();
    let daemon = nix::unistd::Pid::from_raw(home.daemon_pid());
    let host = home.processes().into_iter().find(|process| process.command.contains("areyouj-host")).unwrap();
    for process in [daemon, nix::unistd::Pid::from_raw(host.pid)] {
        let session = nix::unistd::getsid(Some(process)).unwrap();
        assert_ne!(session, ours);
        assert_eq!(session, process);
    }
}

#[test]
fn a_variable_alone_puts_no_command_inside_a_session() {
    let home = TestHome::with_stand_in("obedient").with("AREYOUJ_SESSION_ID", "K7M2Q9XD");
    assert_eq!(home.sessions(), [""; 0]);
    home.ok(&["daemon", "stop"]);
}

#[test]
fn sessions_keep_running_without_a_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let before = home.session(&id);
    let daemon = home.daemon_pid();
    home.ok(&["daemon", "stop"]);
    assert_eq!(home.json(&["daemon", "status"])["running"], false);
    assert!(!home.processes().is_empty(), "the session's processes are running");
    let after = home.session(&id);
    assert_eq!((&after["pid"], &after["hostPid"]), (&before["pid"], &before["hostPid"]));
    assert_ne!(home.daemon_pid(), daemon);
    home.send_and_wait(&id, "still running?");
}

#[test]
fn a_restarted_daemon_finds_its_sessions() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let (before, daemon) = (home.session(&id), home.daemon_pid());
    home.ok(&["daemon", "restart"]);
    assert_ne!(home.daemon_pid(), daemon);
    assert_eq!(home.session(&id)["pid"], before["pid"]);
}

#[test]
fn stopping_with_sessions_stops_every_process() {
    let home = TestHome::with_stand_in("obedient");
    let ids = [home.idle_session(&home.project("one"), &[]), home.idle_session(&home.project("two"), &[])];
    home.ok(&["daemon", "stop", "--sessions"]);
    assert_eq!(areyouj_tests::processes::wait_until_gone(home.path(), EVENT_TIMEOUT), []);
    for id in ids {
        assert_eq!(home.session(&id)["status"], "terminated");
    }
}

#[test]
fn the_socket_of_a_killed_daemon_does_not_prevent_a_new_one() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    for _ in 0..3 {
        home.kill(home.daemon_pid());
        assert_eq!(home.json(&["daemon", "status"])["running"], false);
        home.ok(&["daemon", "start"]);
    }
}

#[test]
fn a_daemon_inherits_no_files_from_the_process_that_started_it() {
    let home = TestHome::with_stand_in("obedient");
    let program = home.cli.program.to_string_lossy().into_owned();
    let shell = areyouj_tests::cli::Cli { program: "/bin/bash".into(), ..home.cli.clone() };
    let lock = home.project("project").join("lock");
    let script = format!("exec 9>'{}'; '{program}' daemon start", lock.display());
    home.expect(shell.run(&["-c", &script]).and_then(Run::success));
    let open = std::fs::read_dir(format!("/proc/{}/fd", home.daemon_pid())).unwrap();
    let open: Vec<_> = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).collect();
    assert!(!open.contains(&lock), "{open:#?}");
}

#[test]
fn two_environments_with_one_database_have_one_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let user = home.project("user");
    let mut clis = ["one", "two"].map(|name| {
        let runtime = home.project(name);
        let mut cli = home.cli.clone().with("HOME", &user).with("XDG_RUNTIME_DIR", &runtime);
        cli.environment.remove("AREYOUJ_HOME");
        cli
    });
    let pids = clis.each_mut().map(|cli| {
        home.expect(cli.run(&["daemon", "start"]).and_then(Run::success));
        home.expect(cli.json(&["daemon", "status"]))["pid"].clone()
    });
    home.expect(clis[0].run(&["daemon", "stop"]));
    assert_eq!(pids[0], pids[1]);
}

#[test]
fn doctor_finds_no_problem_in_a_healthy_home() {
    let home = TestHome::new();
    home.ok(&["daemon", "start"]);
    let report = home.ok(&["doctor"]);
    assert!(report.contains(home.path().to_str().unwrap()), "{report}");
}
