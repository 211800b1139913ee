//! Secrets at rest: what remains in the files of AreYouJ, and what a session gets.

use std::fs;
use std::path::{Path, PathBuf};

use areyouj_tests::home::TestHome;

/// The files below a directory that contain this text.
fn files_with(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), text));
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn nothing_of_a_deleted_session_remains_in_any_file() {
    let home = TestHome::with_stand_in("obedient").with("MY_TOKEN", "token-of-the-creator");
    let kept = home.idle_session(&home.project("other"), &[]);
    let id = home.idle_session(&home.project("project"), &["--name", "name-of-the-session"]);
    home.send_and_wait(&id, "password-in-a-message");
    assert!(!files_with(home.path(), "password-in-a-message").is_empty());
    home.ok(&["terminate", &id]);
    home.wait(&id, "terminated");
    home.ok(&["rm", &id]);
    for text in ["password-in-a-message", "name-of-the-session"] {
        assert_eq!(files_with(home.path(), text), [""; 0].map(PathBuf::from), "{text}");
    }
    home.send_and_wait(&kept, "hello");
    home.ok(&["terminate", &kept]);
    home.wait(&kept, "terminated");
    let stored = files_with(&home.path().join("data"), "token-of-the-creator");
    assert_eq!(stored, [""; 0].map(PathBuf::from), "the environment is of no more use");
}

#[test]
fn a_session_does_not_get_the_variables_that_the_configuration_denies() {
    let home = TestHome::new().with("MY_TOKEN", "mine").with("OTHER", "other").with("BW_SESSION", "vault");
    let project = home.project("project");
    let variables = |denied: Option<&str>| {
        if let Some(denied) = denied {
            let file = home.path().join("config/config.toml");
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, denied).unwrap();
            home.ok(&["daemon", "restart"]);
        }
        let id = home.idle_session(&project, &["--permission-mode", "bypassPermissions"]);
        home.send_and_wait(&id, "run: echo \"$MY_TOKEN,$OTHER,$BW_SESSION\" > variables");
        home.ok(&["terminate", &id]);
        fs::read_to_string(project.join("variables")).unwrap().trim().to_owned()
    };
    assert_eq!(variables(None), "mine,other,");
    assert_eq!(variables(Some("environment_deny = [\"*_TOKEN\"]")), ",other,vault");
}
