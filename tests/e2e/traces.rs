//! Traces outside of the database: modes of files, arguments and environments of processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use areyouj_tests::home::{TestHome, process_id, text_of};

/// Everything below a directory, and the directory, that others can access, with its mode.
fn accessible_to_others(path: &Path) -> Vec<(PathBuf, u32)> {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o777;
    let mut found = if mode & 0o077 == 0 { Vec::new() } else { vec![(path.to_owned(), mode)] };
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            found.extend(accessible_to_others(&entry.unwrap().path()));
        }
    }
    found
}

/// Starts the daemon by a shell with this file mode mask.
fn start_with_mask(home: &TestHome, mask: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("umask {mask}; exec \"$0\" daemon start")]).arg(&home.cli.program);
    let output = shell.env_clear().envs(&home.cli.environment).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn others_can_access_no_file_of_areyouj_and_sessions_have_the_mask_of_the_starter() {
    let home = TestHome::new();
    start_with_mask(&home, "022");
    let project = home.project("project");
    let id = home.idle_session(&project, &["--permission-mode", "bypassPermissions"]);
    home.send_and_wait(&id, "run: touch made; umask > mask");
    let terminal = home.idle_session(&home.project("other"), &["--driver", "terminal"]);
    for directory in ["data", "run", "state"] {
        assert_eq!(accessible_to_others(&home.path().join(directory)), []);
    }
    assert_eq!(fs::read_to_string(project.join("mask")).unwrap().trim(), "0022");
    assert_eq!(fs::metadata(project.join("made")).unwrap().permissions().mode() & 0o777, 0o644);
    home.ok(&["terminate", &terminal]);
}

#[test]
fn files_that_an_earlier_version_left_open_become_private_at_the_start() {
    let home = TestHome::with_stand_in("obedient");
    let log = home.path().join("state/log/daemon.2026-01-01.log");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(&log, "").unwrap();
    for path in [home.path().join("state"), home.path().join("state/log"), log] {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    home.ok(&["daemon", "start"]);
    assert_eq!(accessible_to_others(&home.path().join("state")), []);
}

#[test]
fn the_daemon_and_hosts_keep_nothing_of_the_environment_of_their_starter() {
    let home = TestHome::new().with("MY_TOKEN", "token-of-the-starter");
    home.ok(&["daemon", "start"]);
    let id = home.idle_session(&home.project("project"), &["--permission-mode", "bypassPermissions"]);
    let daemon = fs::read(format!("/proc/{}/environ", home.daemon_pid())).unwrap();
    // Only root can read that of a host, which no process of the session can inspect.
    let host =
        fs::read(format!("/proc/{}/environ", process_id(&home.session(&id), "hostPid"))).unwrap_or_default();
    for environment in [daemon, host] {
        let environment = String::from_utf8_lossy(&environment).replace('\0', "\n");
        for foreign in ["MY_TOKEN", "token-of-the-starter", "ANTHROPIC_API_KEY"] {
            assert!(!environment.contains(foreign), "{environment}");
        }
    }
    home.send_and_wait(&id, "run: printenv MY_TOKEN > token");
    let directory = text_of(&home.session(&id), "directory");
    let token = fs::read_to_string(Path::new(&directory).join("token")).unwrap();
    assert_eq!(token.trim(), "token-of-the-starter", "the session has the environment of its creator");
}

#[test]
fn a_report_for_others_has_no_text_name_or_path_of_the_person() {
    let home = TestHome::new().with("MY_TOKEN", "token-of-the-person").with("USER", "ada-lovelace");
    let project = home.project("secret-project");
    let id = home.new_session(&project, &["--name", "secret-name", "-m", "run: touch secret-file"]);
    home.wait_permission_request(&id);
    home.send(&id, "secret-message");
    let json = home.areyouj(&["doctor", "--json"]).stdout;
    for text in ["secret-name", "secret-project", "secret-file", "secret-message", "token-of-the-person"] {
        assert!(!json.contains(text), "{text}: {json}");
    }
    let report = home.ok(&["doctor", "--report"]);
    let file = home.path().join("config/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "claude = \"secret/path\"").unwrap();
    let broken = home.ok(&["doctor", "--report"]);
    for report in [&report, &broken] {
        assert!(report.contains("session 1: stream, waiting, 1 queued"), "{report}");
        let root = home.path().to_str().unwrap().to_owned();
        let user = home.cli.environment["HOME"].to_str().unwrap().to_owned();
        for text in ["secret", "token-of", "ada-lovelace", "/", &root, &user, &id] {
            assert!(!report.contains(text), "{text}: {report}");
        }
    }
    assert!(broken.contains("problem (config_invalid)"), "{broken}");
}

#[test]
fn texts_are_read_from_standard_input_so_that_no_process_list_shows_them() {
    let home = TestHome::new();
    let project = home.project("project");
    let directory = project.to_str().unwrap();
    let created = home.cli.run_with_input(&["new", directory, "-m", "-"], "run: touch made");
    let id = home.expect(created.and_then(areyouj_tests::cli::Run::success)).stdout.trim().to_owned();
    let request = text_of(&home.wait_permission_request(&id), "id");
    let denied = home.cli.run_with_input(&["deny", &request, "-m", "-"], "not this file\n");
    home.expect(denied.and_then(areyouj_tests::cli::Run::success));
    home.wait(&id, "idle");
    let transcript = home.ok(&["logs", &id, "--json"]);
    assert!(transcript.contains("not this file"), "{transcript}");
}
