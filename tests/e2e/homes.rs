//! Homes that cannot be written, and homes that other users can access.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use areyouj_tests::bystander::Bystander;
use areyouj_tests::disk::Kind;
use areyouj_tests::home::{NOBODY, TestHome, text_of};
use nix::unistd::geteuid;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The error of a command with another home.
#[track_caller]
fn error_in(home: &TestHome, other: &Path) -> serde_json::Value {
    let cli = home.cli.clone().with("AREYOUJ_HOME", other);
    home.error_of(&home.expect(cli.run(&["ls", "--json"])))
}

#[test]
fn a_home_whose_path_is_too_long_for_a_socket_is_rejected() {
    let home = TestHome::with_stand_in("obedient");
    let error = error_in(&home, &home.path().join("x".repeat(100)));
    assert_eq!(error["code"], "home_path_too_long");
}

#[test]
fn a_home_that_is_a_file_is_rejected_and_not_changed() {
    let home = TestHome::with_stand_in("obedient");
    let file = home.path().join("file");
    fs::write(&file, "precious").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = error_in(&home, &path);
        assert_eq!(error["code"], "not_a_directory", "{error}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "precious");
    assert_eq!(home.processes(), []);
}

/// Uses the stand-in: the user of this test cannot enter the directory of the real Claude.
#[test]
fn a_home_that_is_not_writable_is_rejected() {
    let home = TestHome::with_permissions("obedient");
    set_mode(home.path(), 0o500);
    let error = home.rejection(&["ls"]);
    set_mode(home.path(), 0o700);
    assert_eq!(error["code"], "directory_not_accessible");
    assert!(text_of(&error, "message").contains(home.path().to_str().unwrap()), "{error}");
    Bystander::of(&home).assert_responsive(&home);
}

/// Uses the stand-in: the user of this test cannot enter the directory of the real Claude.
#[test]
fn a_home_that_becomes_read_only_keeps_its_sessions_and_works_again_when_writable() {
    let home = TestHome::with_permissions("obedient");
    let bystander = Bystander::of(&home);
    home.kill(home.daemon_pid());
    let set_modes = |directory: &str, mode| {
        let files = fs::read_dir(home.path().join(directory)).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).for_each(|path| set_mode(&path, mode));
    };
    // A starting daemon would restore the permissions of the directories, but not those of these files.
    set_modes("run", 0o400);
    let error = home.rejection(&["ls"]);
    assert_eq!(error["code"], "directory_not_accessible", "{error}");
    bystander.assert_alive();
    set_modes("run", 0o600);
    // The permissions of a database are restored, too.
    set_modes("data", 0o400);
    bystander.assert_responsive(&home);
}

#[test]
fn a_file_system_that_becomes_read_only_ends_no_session_and_works_again_when_writable() {
    let Some(home) = TestHome::on_a_disk(Kind::Tmpfs) else { return };
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let read_only = home.expect(home.disk().read_only());

    // Files that are open stay open, but no new ones can be created.
    bystander.assert_responsive(&home);
    let new = home.new_session(&home.project("new"), &["-m", "patience"]);
    assert_eq!(home.wait_error(&new), "host_failed");
    let error = home.session(&new)["error"].clone();
    assert!(text_of(&error, "message").to_lowercase().contains("read-only"), "{error}");

    home.kill(home.daemon_pid());
    let error = home.rejection(&["ls"]);
    assert_eq!(error["code"], "directory_not_accessible", "{error}");
    bystander.assert_alive();

    drop(read_only);
    bystander.assert_responsive(&home);
    home.send_and_wait(&id, "hello");
    home.ok(&["restart", &new]);
    home.wait(&new, "idle");
    assert_eq!(home.api.prompt_count_of("patience"), 1);
}

#[test]
fn directories_of_another_user_are_rejected() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED, NOTHING WAS TESTED: only root can change the owner of a directory");
        return;
    }
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    for name in ["run", "data", "state"] {
        let directory = home.path().join(name);
        chown(&directory, Some(NOBODY), None).unwrap();
        let error = home.rejection(&["ls"]);
        assert_eq!(error["code"], "directory_not_accessible", "{error}");
        assert!(text_of(&error, "message").contains(&NOBODY.to_string()), "{error}");
        bystander.assert_alive();
        chown(&directory, Some(0), None).unwrap();
    }
    bystander.assert_responsive(&home);
}

#[test]
fn directories_that_others_can_enter_are_made_private() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    let directories = ["run", "data", "state"].map(|name| home.path().join(name));
    directories.iter().for_each(|directory| set_mode(directory, 0o777));
    home.ok(&["ls"]);
    for directory in directories {
        assert_eq!(mode(&directory), 0o700, "{directory:?}");
    }
    bystander.assert_responsive(&home);
}
