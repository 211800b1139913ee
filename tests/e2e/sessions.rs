//! Sessions and their directories.

use std::fs;

use areyouj_tests::home::{TestHome, process_id, text_of};
use areyouj_tests::processes;

#[test]
fn two_sessions_work_in_two_directories_at_once() {
    let home = TestHome::new();
    let (left, right) = (home.project("left"), home.project("right"));
    let options = ["--permission-mode", "bypassPermissions"];
    let first = home.new_session(&left, &options);
    let second = home.new_session(&right, &options);
    let messages = [home.send(&first, "hold: both # left"), home.send(&second, "hold: both # right")];
    for prompt in ["hold: both # left", "hold: both # right"] {
        home.expect(home.api.wait_for_prompt(prompt, areyouj_tests::home::EVENT_TIMEOUT));
    }
    home.api.release("both");
    home.wait_message(&first, &messages[0], "done");
    home.wait_message(&second, &messages[1], "done");
    home.send_and_wait(&first, "run: pwd > where.txt");
    home.send_and_wait(&second, "run: pwd > where.txt");
    assert_eq!(fs::read_to_string(left.join("where.txt")).unwrap().trim(), left.to_str().unwrap());
    assert_eq!(fs::read_to_string(right.join("where.txt")).unwrap().trim(), right.to_str().unwrap());
    assert_ne!(home.session(&first)["pid"], home.session(&second)["pid"]);
}

#[test]
fn new_prints_an_id_of_eight_characters_and_returns_before_claude_is_ready() {
    let home = TestHome::new();
    let id = home.new_session(&home.project("project"), &[]);
    assert!(id.len() == 8 && id.chars().all(|c| "ABCDEFGHJKMNPQRSTVWXYZ23456789".contains(c)), "{id}");
    home.wait(&id, "idle");
    let session = home.session(&id);
    assert_eq!(session["id"], id.as_str());
    assert!(session["startupMs"].as_u64().is_some_and(|milliseconds| milliseconds > 0), "{session}");
}

#[test]
fn a_session_has_the_values_that_claude_reports() {
    let home = TestHome::new();
    let directory = home.project("project");
    let id = home.new_session(&directory, &["--name", "The first", "-m", "hello"]);
    home.wait(&id, "idle");
    let session = home.session(&id);
    assert_eq!(session["name"], "The first");
    assert_eq!(session["directory"], directory.to_str().unwrap());
    assert_eq!(session["driver"], "stream");
    assert_eq!(session["currentTask"], "hello");
    assert!(session["costUsd"].as_f64().is_some_and(|cost| cost > 0.0), "{session}");
    assert!(session["model"].as_str().is_some_and(|model| model.starts_with("claude-")), "{session}");
    assert!(processes::is_running(process_id(&session, "pid")));
    assert!(processes::is_running(process_id(&session, "hostPid")));
}

#[test]
fn first_messages_run_in_order() {
    let home = TestHome::new();
    let id = home.new_session(&home.project("project"), &["-m", "one", "-m", "two", "--wait"]);
    assert_eq!(home.api.prompts(), ["one", "two"]);
    assert_eq!(home.session(&id)["status"], "idle");
}

#[test]
fn the_name_of_a_directory_can_contain_spaces_and_a_line_break() {
    let home = TestHome::new();
    let directory = home.project("a b\nc 'd' \"e\" ü");
    let id = home.new_session(&directory, &["--permission-mode", "bypassPermissions"]);
    home.send_and_wait(&id, "run: touch here.txt");
    assert!(directory.join("here.txt").is_file());
    assert_eq!(home.session(&id)["directory"], directory.to_str().unwrap());
    assert!(home.ok(&["ls"]).lines().filter(|line| line.contains(&id)).count() == 1, "a row is one line");
}

#[test]
fn a_session_has_the_environment_of_the_client_that_created_it() {
    let home = TestHome::new();
    let directory = home.project("project");
    // The daemon is started by a client with another environment.
    home.ok(&["daemon", "start"]);
    let client = home.cli.clone().with("MARK", "from the client").within(&directory);
    let created = home.expect(client.run(&["new", "--permission-mode", "bypassPermissions"]));
    let id = created.stdout.trim().to_owned();
    home.send_and_wait(&id, "run: echo \"$MARK $AREYOUJ_SESSION_ID\" > mark.txt");
    assert_eq!(fs::read_to_string(directory.join("mark.txt")).unwrap(), format!("from the client {id}\n"));
}

#[test]
fn sessions_are_listed_newest_first_and_found_by_a_prefix_of_their_id() {
    let home = TestHome::with_stand_in("obedient");
    let older = home.idle_session(&home.project("older"), &[]);
    let newer = home.idle_session(&home.project("newer"), &[]);
    assert_eq!(home.sessions(), [newer.clone(), older]);
    assert_eq!(text_of(&home.session(&newer[..7].to_lowercase()), "id"), newer);
}

#[test]
fn a_session_can_be_renamed_and_its_name_removed() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    home.ok(&["rename", &id, "Wählerisch 猫"]);
    assert_eq!(home.session(&id)["name"], "Wählerisch 猫");
    home.ok(&["rename", &id, ""]);
    assert!(home.session(&id)["name"].is_null());
    assert_eq!(home.error_code(&["rename", &id, "two\nlines"]), "name_invalid");
}

#[test]
fn a_restarted_session_continues_the_same_conversation() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let before = home.session(&id);
    home.ok(&["restart", &id]);
    let after = home.wait_session(&id, "a new Claude is idle", |session| {
        session["status"] == "idle" && session["pid"].is_i64() && session["pid"] != before["pid"]
    });
    assert_eq!(after["claudeSessionId"], before["claudeSessionId"]);
    home.send_and_wait(&id, "after");
    assert_eq!(home.api.prompts(), ["before", "after"]);
}
