//! The daemon: one per user, started when it is needed, and nothing depends on its life.

use std::collections::HashSet;

use areyouj_tests::cli::Run;
use areyouj_tests::home::{PATIENCE, TestHome, rows, texts};
use serde_json::Value;

/// How many clients start at once.
const CLIENTS: usize = 20;

/// The limit on active sessions, unless configured.
const MAX_ACTIVE: usize = 10;

/// The stand-in: so many real Claudes would be too heavy.
#[test]
fn many_clients_that_start_at_once_start_one_daemon() {
    let home = TestHome::with_stand_in("obedient").with("AREYOUJ_MAX_ACTIVE", "20");
    let directory = home.project("project");
    let clients: Vec<_> = (0..CLIENTS).map(|_| home.spawn(&["new", directory.to_str().unwrap()])).collect();
    let ids: HashSet<String> = clients
        .into_iter()
        .map(|client| home.expect(client.finish(PATIENCE).and_then(Run::success)).stdout.trim().to_owned())
        .collect();
    assert_eq!(ids.len(), CLIENTS);
    assert_eq!(home.sessions().into_iter().collect::<HashSet<_>>(), ids);
    let daemons =
        home.processes().iter().filter(|process| process.command.contains("areyouj daemon")).count();
    assert_eq!(daemons, 1, "{:#?}", home.processes());
}

/// The stand-in: so many real Claudes would be too heavy.
#[test]
fn as_many_sessions_are_active_as_the_limit_allows() {
    let home = TestHome::with_stand_in("obedient");
    let directory = home.project("project");
    let ids: Vec<String> = (0..MAX_ACTIVE).map(|_| home.new_session(&directory, &[])).collect();
    assert_eq!(home.refused(&["new", directory.to_str().unwrap()]), "too_many_sessions");
    home.ok(&["terminate", &ids[0]]);
    home.wait(&ids[0], "terminated");
    home.idle_session(&directory, &[]);
    let all = texts(&rows(&home.json(&["ls", "--all"]), "sessions"), "id");
    assert_eq!(all.len(), MAX_ACTIVE + 1, "the refused one left nothing");
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
fn the_daemon_and_the_hosts_leave_the_terminal_that_they_were_started_from() {
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
fn a_daemon_is_not_started_inside_of_a_session() {
    let home = TestHome::with_stand_in("obedient").with("AREYOUJ_SESSION_ID", "K7M2Q9XD");
    assert_eq!(home.refused(&["ls"]), "daemon_unavailable");
    assert_eq!(home.processes(), []);
}

#[test]
fn sessions_go_on_without_a_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let before = home.session(&id);
    let daemon = home.daemon_pid();
    home.ok(&["daemon", "stop"]);
    assert_eq!(home.json(&["daemon", "status"])["running"], false);
    assert!(!home.processes().is_empty(), "the session's processes are there");
    let after = home.session(&id);
    assert_eq!((&after["pid"], &after["hostPid"]), (&before["pid"], &before["hostPid"]));
    assert_ne!(home.daemon_pid(), daemon);
    home.say(&id, "still there?");
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
fn stopping_with_sessions_leaves_no_process() {
    let home = TestHome::with_stand_in("obedient");
    let ids = [home.idle_session(&home.project("one"), &[]), home.idle_session(&home.project("two"), &[])];
    home.ok(&["daemon", "stop", "--sessions"]);
    assert_eq!(areyouj_tests::processes::wait_until_gone(home.path(), PATIENCE), []);
    for id in ids {
        assert_eq!(home.session(&id)["status"], "terminated");
    }
}

#[test]
fn a_daemon_that_was_killed_leaves_no_stale_socket_behind_that_matters() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    for _ in 0..3 {
        home.kill(home.daemon_pid());
        assert_eq!(home.json(&["daemon", "status"])["running"], false);
        home.ok(&["daemon", "start"]);
    }
}

#[test]
fn a_daemon_keeps_nothing_that_its_starter_left_open() {
    let home = TestHome::with_stand_in("obedient");
    let program = home.cli.program.to_string_lossy().into_owned();
    let shell = areyouj_tests::cli::Cli { program: "/bin/bash".into(), ..home.cli.clone() };
    let lock = home.project("project").join("lock");
    let script = format!("exec 9>'{}'; '{program}' daemon start", lock.display());
    home.expect(shell.run(&["-c", &script]).and_then(Run::success));
    let held = std::fs::read_dir(format!("/proc/{}/fd", home.daemon_pid())).unwrap();
    let held: Vec<_> = held.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).collect();
    assert!(!held.contains(&lock), "{held:#?}");
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
fn doctor_finds_nothing_wrong_here() {
    let home = TestHome::new();
    home.ok(&["daemon", "start"]);
    let report = home.ok(&["doctor"]);
    assert!(report.contains(home.path().to_str().unwrap()), "{report}");
}
