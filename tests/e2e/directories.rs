//! Directories that a session cannot use, and unusual ones that it can use.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{TestHome, text_of};
use serde_json::json;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_session_needs_a_directory_that_exists() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let file = home.project("project").join("file.txt");
    fs::write(&file, "").unwrap();
    let below_a_file = file.join("below");
    for (path, code) in [
        (Path::new("/nonexistent/place"), "directory_missing"),
        (&file, "not_a_directory"),
        (&below_a_file, "not_a_directory"),
    ] {
        let error = home.rejection(&["new", path.to_str().unwrap()]);
        assert_eq!(error["code"], code);
        assert!(text_of(&error, "message").contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.assert_responsive(&home);
}

/// Uses the stand-in: the user of this test cannot enter the directory of the real Claude.
#[test]
fn a_directory_without_permissions_is_rejected_and_the_missing_permission_is_named() {
    let home = TestHome::with_permissions("obedient");
    let bystander = Bystander::of(&home);
    for (mode, missing) in [(0o300, "read"), (0o500, "written"), (0o600, "entered")] {
        let restricted = home.project(missing);
        set_mode(&restricted, mode);
        let error = home.rejection(&["new", restricted.to_str().unwrap()]);
        set_mode(&restricted, 0o700);
        assert_eq!(error["code"], "directory_not_accessible");
        assert!(text_of(&error, "message").contains(missing), "{error}");
    }
    let outer = home.project("outer");
    let inner = home.project("outer/inner");
    set_mode(&outer, 0o000);
    let code = home.error_code(&["new", inner.to_str().unwrap()]);
    set_mode(&outer, 0o700);
    assert_eq!(code, "directory_not_accessible");
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.assert_responsive(&home);
}

#[test]
fn a_path_with_spaces_newlines_or_escape_sequences_works_and_is_printed_safely() {
    let home = TestHome::new();
    let names = [("two  spaces", "two  spaces"), ("new\nline\ttab", "new␊line␉tab"), ("\u{1b}[2Jx", "␛[2Jx")];
    for (name, on_screen) in names {
        let directory = home.project(name);
        let id = home.idle_session(&directory, &["--permission-mode", "bypassPermissions"]);
        home.send_and_wait(&id, "run: touch here");
        assert!(directory.join("here").is_file(), "{name:?}");
        assert_eq!(home.session(&id)["directory"], directory.to_str().unwrap());
        for arguments in [&["ls"][..], &["show", &id]] {
            let printed = home.ok(arguments);
            assert!(printed.contains(on_screen), "{arguments:?} printed {printed:?}");
            assert!(!printed.contains(|c: char| c.is_control() && c != '\n'), "{printed:?}");
        }
        assert_eq!(home.ok(&["ls"]).lines().count(), 2, "one line for one session");
        home.ok(&["terminate", &id]);
    }
}

#[test]
fn a_path_that_is_not_utf8_is_rejected() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let not_utf8 = home.project("not_utf8").join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&not_utf8).unwrap();
    let run = home.expect(home.cli.clone().within(&not_utf8).run(&["new", ".", "--json"]));
    assert_eq!(home.error_of(&run)["code"], "directory_not_utf8");
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.assert_responsive(&home);
}

#[test]
fn a_deleted_directory_is_named_when_claude_must_restart() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let directory = home.project("project");
    let id = home.idle_session(&directory, &[]);
    home.send_and_wait(&id, "before");
    fs::remove_dir_all(&directory).unwrap();
    let restarted = home.areyouj(&["restart", &id]);
    assert_ne!(restarted.status, 2, "{restarted}");
    assert_eq!(home.wait_error(&id), "directory_missing");
    let error = home.session(&id)["error"].clone();
    assert!(text_of(&error, "message").contains(directory.to_str().unwrap()), "{error}");
    assert_eq!(
        (&error["remedy"]["kind"], &error["remedy"]["sessionId"]),
        (&json!("restartSession"), &json!(id)),
        "{error}"
    );
    let waiting = home.send(&id, "after");
    bystander.assert_responsive(&home);

    fs::create_dir(&directory).unwrap();
    home.ok(&["restart", &id]);
    home.wait_message(&id, &waiting, "done");
    assert_eq!(home.api.prompt_count_of("after"), 1);
}
