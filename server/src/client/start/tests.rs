//! Starting a daemon, with shell scripts in its place.

use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use super::super::tests::paths;
use super::*;

/// Longer than any step takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

fn start(home: &TempDir, script: &str) -> Result<UnixStream, Failure> {
    start_with(&paths(home), shell(script), Instant::now() + LONG)
}

#[test]
fn the_client_reports_the_failure_of_the_daemon() {
    let home = tempfile::tempdir().unwrap();
    let report =
        r#"echo '{"code":"database_newer","message":"the database is newer","hint":"Upgrade."}'; exit 1"#;
    let failure = start(&home, report).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("database_newer", "the database is newer")
    );
    assert_eq!(failure.remedy, Some("Upgrade.".into()));
}

#[test]
fn an_early_exit_is_reported_with_the_exit_status_and_the_end_of_the_log() {
    let home = tempfile::tempdir().unwrap();
    start(&home, "echo old news >&2; exit 1").unwrap_err();
    let failure = start(&home, "echo out of luck >&2; exit 7").unwrap_err();
    assert_eq!(failure.code, "daemon_start_failed");
    assert!(failure.message.contains("exit status: 7"), "{failure}");
    assert_eq!(failure.log.as_deref(), Some("out of luck"));
    assert!(failure.remedy.unwrap().hint().contains("state/log/daemon-stderr.log"));
}

#[test]
fn a_daemon_that_does_not_become_ready_times_out() {
    let home = tempfile::tempdir().unwrap();
    let deadline = Instant::now() + Duration::from_millis(200);
    let failure = start_with(&paths(&home), shell("exec sleep 600"), deadline).unwrap_err();
    assert_eq!(failure.code, "daemon_start_failed");
    assert!(failure.message.contains("not ready in time"), "{failure}");
}

#[test]
fn a_daemon_that_reports_ready_without_listening_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(start(&home, "echo ready").unwrap_err().code, "daemon_start_failed");
}

#[test]
fn clients_at_the_same_time_start_one_daemon() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(&home);
    paths.create().unwrap();
    let (gate, started) = (home.path().join("gate"), home.path().join("started"));
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = format!("echo one >> {}; read go < {}; echo ready", started.display(), gate.display());
    let (paths, script) = (&paths, script.as_str());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| scope.spawn(move || start_with(paths, shell(script), Instant::now() + LONG).is_ok()))
            .collect();
        // The pipe opens when the one daemon runs. The daemon is ready only when the socket listens.
        let mut gate = OpenOptions::new().write(true).open(&gate).unwrap();
        let _listener = UnixListener::bind(paths.daemon_socket()).unwrap();
        gate.write_all(b"go\n").unwrap();
        assert!(clients.into_iter().all(|client| client.join().unwrap()));
    });
    assert_eq!(std::fs::read_to_string(started).unwrap(), "one\n");
}

#[test]
fn a_stopping_daemon_must_exit_before_the_next_is_started() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(&home);
    paths.create().unwrap();
    let stopping = Lock::begin(&paths.daemon_lock()).unwrap().until(Instant::now()).unwrap().unwrap();
    let failure = start_with(&paths, shell("echo ready"), Instant::now() + PROBE_INTERVAL * 2).unwrap_err();
    assert!(failure.message.contains("running but does not listen"), "{failure}");
    assert!(!wait_for_exit(&paths, Instant::now()).unwrap());
    thread::scope(|scope| {
        let end = scope.spawn(|| wait_for_exit(&paths, Instant::now() + LONG).unwrap());
        drop(stopping);
        assert!(end.join().unwrap());
    });
}
