//! Directories that a session cannot live in, and odd ones that it can.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test: a panic is a failed one")]

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
        let error = home.refusal(&["new", path.to_str().unwrap()]);
        assert_eq!(error["code"], code);
        assert!(text_of(&error, "message").contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.goes_on(&home);
}

/// The stand-in, as the user whom permissions bind may not enter where the real one is.
#[test]
fn a_directory_that_permissions_close_is_refused_with_what_they_do_not_let_one_do() {
    let home = TestHome::with_permissions("obedient");
    let bystander = Bystander::of(&home);
    for (mode, missing) in [(0o300, "read"), (0o500, "written"), (0o600, "entered")] {
        let closed = home.project(missing);
        set_mode(&closed, mode);
        let error = home.refusal(&["new", closed.to_str().unwrap()]);
        set_mode(&closed, 0o700);
        assert_eq!(error["code"], "directory_not_accessible");
        assert!(text_of(&error, "message").contains(missing), "{error}");
    }
    let outer = home.project("outer");
    let inner = home.project("outer/inner");
    set_mode(&outer, 0o000);
    let code = home.refused(&["new", inner.to_str().unwrap()]);
    set_mode(&outer, 0o700);
    assert_eq!(code, "directory_not_accessible");
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.goes_on(&home);
}

#[test]
fn a_path_with_spaces_newlines_or_escape_sequences_works_and_is_harmless_on_screen() {
    let home = TestHome::new();
    let shown = [("two  spaces", "two  spaces"), ("new\nline\ttab", "new␊line␉tab"), ("\u{1b}[2Jx", "␛[2Jx")];
    for (name, on_screen) in shown {
        let directory = home.project(name);
        let id = home.idle_session(&directory, &["--permission-mode", "bypassPermissions"]);
        home.say(&id, "run: touch here");
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
fn a_path_that_is_not_utf8_is_refused() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let odd = home.project("odd").join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&odd).unwrap();
    let run = home.expect(home.cli.clone().within(&odd).run(&["new", ".", "--json"]));
    assert_eq!(home.refusal_of(&run)["code"], "directory_not_utf8");
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.goes_on(&home);
}

#[test]
fn a_directory_that_is_removed_under_a_session_is_named_when_claude_is_to_start_again() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let directory = home.project("project");
    let id = home.idle_session(&directory, &[]);
    home.say(&id, "before");
    fs::remove_dir_all(&directory).unwrap();
    let restarted = home.areyouj(&["restart", &id]);
    assert_ne!(restarted.status, 2, "{restarted}");
    assert_eq!(home.wait_error(&id), "directory_missing");
    let error = home.session(&id)["error"].clone();
    assert!(text_of(&error, "message").contains(directory.to_str().unwrap()), "{error}");
    assert_eq!(
        (&error["remedy"]["kind"], &error["remedy"]["sessionId"]),
        (&json!("restart_session"), &json!(id)),
        "{error}"
    );
    let waiting = home.send(&id, "after");
    bystander.goes_on(&home);

    fs::create_dir(&directory).unwrap();
    home.ok(&["restart", &id]);
    home.wait_message(&id, &waiting, "done");
    assert_eq!(home.api.times_asked("after"), 1);
}
