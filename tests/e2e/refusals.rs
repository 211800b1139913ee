//! Input that cannot be accepted: each refusal has a stable code, says what happened and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use areyouj_tests::home::TestHome;
use nix::unistd::{AccessFlags, access};

/// More sessions than there are first letters of ids: two of them begin alike.
const MORE_THAN_LETTERS: usize = 33;

#[test]
fn a_session_needs_a_directory_that_exists() {
    let home = TestHome::with_stand_in("obedient");
    assert_eq!(home.refused(&["new", "/nonexistent/place"]), "directory_missing");
    let file = home.project("project").join("file.txt");
    fs::write(&file, "").unwrap();
    assert_eq!(home.refused(&["new", file.to_str().unwrap()]), "not_a_directory");
    assert!(home.sessions().is_empty());
}

#[test]
fn a_session_needs_a_directory_that_it_may_use() {
    let home = TestHome::with_stand_in("obedient");
    let closed = home.project("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let Some(closed) =
        [closed, PathBuf::from("/proc"), PathBuf::from("/sys")].into_iter().find(|path| !usable(path))
    else {
        // Root may do everything in every directory here: there is nothing to refuse.
        return;
    };
    assert_eq!(home.refused(&["new", closed.to_str().unwrap()]), "directory_not_accessible");
}

fn usable(directory: &Path) -> bool {
    access(directory, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

#[test]
fn unknown_ids_are_named_as_such() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let unknown = "ZZZZZZZZ";
    for arguments in
        [&["show", unknown][..], &["send", unknown, "text"], &["terminate", unknown], &["logs", unknown]]
    {
        assert_eq!(home.refused(arguments), "session_not_found", "{arguments:?}");
    }
    let message = "00000000-0000-4000-8000-000000000000";
    assert_eq!(home.refused(&["queue", "rm", message]), "message_not_found");
    assert_eq!(home.refused(&["allow", &format!("{id}-99")]), "permission_not_found");
}

#[test]
fn the_beginning_of_an_id_must_fit_one_session_only() {
    let home = TestHome::with_stand_in("obedient").with("AREYOUJ_MAX_ACTIVE", "40");
    let directory = home.project("project");
    let mut letters = Vec::new();
    for _ in 0..MORE_THAN_LETTERS {
        let letter = home.new_session(&directory, &[])[..1].to_owned();
        if letters.contains(&letter) {
            assert_eq!(home.refused(&["show", &letter]), "ambiguous_id");
            return;
        }
        assert_eq!(&home.session(&letter)["id"].as_str().unwrap()[..1], letter);
        letters.push(letter);
    }
    panic!("{MORE_THAN_LETTERS} ids with different first letters: {letters:?}");
}

#[test]
fn a_message_has_some_text_but_not_too_much() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    assert_eq!(home.refused(&["send", &id, ""]), "message_empty");
    let large = "x".repeat(2 * 1024 * 1024);
    let run = home.expect(home.cli.run_with_input(&["send", &id, "-", "--json"], &large));
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(home.expect(run.error())["code"], "message_too_large");
    assert!(home.messages(&id).is_empty());
}

#[test]
fn the_largest_message_is_accepted_whole() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let large = "All work and no play. ".repeat(40_000);
    let run = home.expect(home.cli.run_with_input(&["send", &id, "-", "--json"], large.trim_end()));
    let message = areyouj_tests::home::text_of(&home.expect(run.json()), "id");
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), [large.trim_end()]);
}

#[test]
fn the_terminal_driver_is_not_available_yet() {
    let home = TestHome::with_stand_in("obedient");
    let directory = home.project("project");
    let arguments = ["new", directory.to_str().unwrap(), "--driver", "terminal"];
    assert_eq!(home.refused(&arguments), "driver_unavailable");
}

#[test]
fn a_home_whose_path_is_too_long_is_refused() {
    let home = TestHome::with_stand_in("obedient");
    let long = home.path().join("x".repeat(100));
    let run = home.expect(home.cli.clone().with("AREYOUJ_HOME", long).run(&["ls", "--json"]));
    assert_eq!(run.status, 1, "{run}");
    assert_eq!(home.expect(run.error())["code"], "home_path_too_long");
}
