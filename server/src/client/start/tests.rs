//! Starting a daemon, with programs that only play one.

use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use super::super::tests::paths;
use super::*;

/// Longer than anything here takes, on a machine under load too.
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
fn what_a_daemon_reports_is_what_the_client_tells() {
    let home = tempfile::tempdir().unwrap();
    let report =
        r#"echo '{"code":"database_newer","message":"the database is newer","hint":"Upgrade."}'; exit 1"#;
    let failure = start(&home, report).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("database_newer", "the database is newer")
    );
    assert_eq!(failure.hint.as_deref(), Some("Upgrade."));
    let failure = start(&home, "echo 'error: storage_full: the disk is full'; exit 1").unwrap_err();
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("storage_full", "the disk is full"));
}

#[test]
fn a_daemon_that_dies_early_is_told_with_its_last_words_and_the_log() {
    let home = tempfile::tempdir().unwrap();
    start(&home, "echo old news >&2; exit 1").unwrap_err();
    let failure = start(&home, "echo out of luck >&2; exit 7").unwrap_err();
    assert_eq!(failure.code, "daemon_start_failed");
    assert!(failure.message.contains("exit status: 7"), "{failure}");
    assert_eq!(failure.log.as_deref(), Some("out of luck"));
    assert!(failure.hint.unwrap().contains("state/log/daemon-stderr.log"));
}

#[test]
fn a_daemon_that_never_becomes_ready_is_given_up() {
    let home = tempfile::tempdir().unwrap();
    let deadline = Instant::now() + Duration::from_millis(200);
    let failure = start_with(&paths(&home), shell("exec sleep 600"), deadline).unwrap_err();
    assert_eq!(failure.code, "daemon_start_failed");
    assert!(failure.message.contains("not ready in time"), "{failure}");
}

#[test]
fn a_daemon_that_says_ready_and_does_not_listen_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(start(&home, "echo ready").unwrap_err().code, "daemon_start_failed");
}

#[test]
fn clients_that_come_at_the_same_time_start_one_daemon() {
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
        // Opens when the one daemon has come so far; it is ready only when somebody listens.
        let mut gate = OpenOptions::new().write(true).open(&gate).unwrap();
        let _listener = UnixListener::bind(paths.daemon_socket()).unwrap();
        gate.write_all(b"go\n").unwrap();
        assert!(clients.into_iter().all(|client| client.join().unwrap()));
    });
    assert_eq!(std::fs::read_to_string(started).unwrap(), "one\n");
}

#[test]
fn a_daemon_on_its_way_out_is_waited_for_before_the_next_is_started() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(&home);
    paths.create().unwrap();
    let leaving = Lock::begin(&paths.daemon_lock()).unwrap().until(Instant::now()).unwrap().unwrap();
    let failure = start_with(&paths, shell("echo ready"), Instant::now() + LOOK_AGAIN * 2).unwrap_err();
    assert!(failure.message.contains("alive and does not listen"), "{failure}");
    assert!(!wait_for_end(&paths, Instant::now()).unwrap());
    thread::scope(|scope| {
        let end = scope.spawn(|| wait_for_end(&paths, Instant::now() + LONG).unwrap());
        drop(leaving);
        assert!(end.join().unwrap());
    });
}
