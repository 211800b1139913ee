//! The queue of a session: one message, one turn, in order.

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, rows, texts};
use areyouj_tests::lsp::Editor;
use serde_json::{Value, json};

/// A session whose turn is held open until `gate` is released, and the message of that turn.
fn session_with_held_turn(home: &TestHome) -> (String, String) {
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.wait(&id, "active");
    (id, message)
}

#[test]
fn queued_messages_run_in_order_after_an_edit_a_removal_and_a_move() {
    let home = TestHome::new();
    let (id, _) = session_with_held_turn(&home);
    let sent: Vec<String> =
        ["one", "two", "three", "four", "five", "six"].iter().map(|text| home.send(&id, text)).collect();
    home.ok(&["queue", "edit", &sent[1], "two, edited"]);
    home.ok(&["queue", "rm", &sent[2]]);
    home.ok(&["queue", "move", &sent[5], "0"]);
    let order = ["six", "one", "two, edited", "four", "five"];
    assert_eq!(home.queued_texts(&id), order);
    assert_eq!(home.session(&id)["queued"], 5);
    home.api.release("gate");
    home.wait(&id, "idle");
    assert_eq!(home.api.prompts(), [&["hold: gate"], &order[..]].concat());
    for message in home.messages(&id) {
        let expected = if message["id"] == sent[2].as_str() { "cancelled" } else { "done" };
        assert_eq!(message["state"], expected, "{message}");
    }
}

#[test]
fn each_message_is_one_turn_even_when_several_are_queued() {
    let home = TestHome::new();
    let (id, _) = session_with_held_turn(&home);
    for text in ["one", "two", "three"] {
        home.send(&id, text);
    }
    home.api.release("gate");
    home.wait(&id, "idle");
    let ends = home.transcript(&id).iter().filter(|entry| entry["body"]["kind"] == "turnEnd").count();
    assert_eq!(ends, 4);
}

#[test]
fn a_paused_queue_delivers_nothing_until_it_is_resumed() {
    let home = TestHome::new();
    let (id, message) = session_with_held_turn(&home);
    home.ok(&["queue", "pause", &id]);
    let waiting = home.send(&id, "later");
    home.api.release("gate");
    home.wait_message(&id, &message, "done");
    home.wait_session(&id, "the session is idle", |session| session["status"] == "idle");
    assert_eq!(home.message(&id, &waiting)["state"], "queued");
    assert!(home.session(&id)["queuePaused"].is_string());
    home.ok(&["queue", "resume", &id]);
    home.wait_message(&id, &waiting, "done");
    assert!(home.session(&id)["queuePaused"].is_null());
}

#[test]
fn a_cleared_queue_is_empty_and_the_running_turn_continues() {
    let home = TestHome::new();
    let (id, message) = session_with_held_turn(&home);
    for text in ["one", "two"] {
        home.send(&id, text);
    }
    home.ok(&["queue", "clear", &id]);
    assert!(home.queued_texts(&id).is_empty());
    home.api.release("gate");
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), ["hold: gate"]);
}

#[test]
fn an_interrupt_ends_the_turn_and_keeps_queued_messages() {
    let home = TestHome::new();
    let (id, message) = session_with_held_turn(&home);
    let waiting = home.send(&id, "later");
    home.ok(&["interrupt", &id]);
    home.wait_message(&id, &message, "interrupted");
    home.wait_session(&id, "the session is idle", |session| session["status"] == "idle");
    assert_eq!(home.message(&id, &waiting)["state"], "queued");
    home.ok(&["queue", "resume", &id]);
    home.wait_message(&id, &waiting, "done");
    assert_eq!(home.api.prompts(), ["hold: gate", "later"]);
}

#[test]
fn an_interrupt_without_a_running_turn_is_an_error() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    assert_eq!(home.error_code(&["interrupt", &id]), "no_running_turn");
}

#[test]
fn a_queued_message_can_be_used_for_steering() {
    let home = TestHome::new();
    let project = home.project("project");
    let id = home.idle_session(&project, &[]);
    let mut editor = Editor::start(&home, &project);
    let running = home.send(&id, "slow: 40 busy");
    home.expect(home.api.wait_for_prompt("slow: 40 busy", EVENT_TIMEOUT));
    home.wait(&id, "active");
    let (first, second) = (home.send(&id, "first"), home.send(&id, "second"));
    let mut steer = |message: &str, text: &str| {
        editor.try_request(
            "areyouj/queue/steer",
            &json!({ "sessionId": id, "message": { "id": message, "text": text } }),
        )
    };
    assert_eq!(steer(&second, "edited meanwhile").unwrap_err()["data"]["code"], "request_conflict");
    assert_eq!(steer(&second, "second").unwrap()["state"], "running");
    home.message_when_idle(&id, &running);
    for message in [&second, &first] {
        assert_eq!(home.message_when_idle(&id, message)["state"], "done");
    }
    let prompts = home.api.prompts();
    assert_eq!(prompts.iter().filter(|prompt| prompt.as_str() == "second").count(), 1, "once: {prompts:?}");
    home.ok(&["queue", "pause", &id]);
    let (third, fourth) = (home.send(&id, "third"), home.send(&id, "fourth"));
    assert_eq!(
        steer(&fourth, "fourth").unwrap()["position"],
        0,
        "without a running turn it is first in the queue"
    );
    let waiting = home.json(&["queue", &id]);
    let waiting: Vec<Value> =
        rows(&waiting, "messages").into_iter().filter(|row| row["state"] == "queued").collect();
    assert_eq!(texts(&waiting, "id"), [fourth, third]);
}

#[test]
fn a_steering_message_enters_the_running_turn_before_queued_messages() {
    let home = TestHome::new();
    let directory = home.project("project");
    let id = home.idle_session(&directory, &["--permission-mode", "bypassPermissions"]);
    nix::unistd::mkfifo(&directory.join("gate"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let message = home.send(&id, "run: cat gate");
    let waiting = home.send(&id, "later");
    // Opening the pipe for writing waits for the command that reads it, so the tool is running now.
    let mut gate = std::fs::OpenOptions::new().write(true).open(directory.join("gate")).unwrap();
    let steered = home.json(&["steer", &id, "run the tests too"]);
    let steered = areyouj_tests::home::text_of(&steered, "id");
    home.wait_message(&id, &steered, "running");
    std::io::Write::write_all(&mut gate, b"opened").unwrap();
    drop(gate);
    for message in [&message, &steered, &waiting] {
        home.wait_message(&id, message, "done");
    }
    assert_eq!(home.api.prompts(), ["run: cat gate", "run the tests too", "later"]);
    let ends = home.transcript(&id).iter().filter(|entry| entry["body"]["kind"] == "turnEnd").count();
    assert_eq!(ends, 2, "the steering message does not start a turn");
}

#[test]
fn a_running_or_finished_message_cannot_be_changed() {
    let home = TestHome::new();
    let (id, running) = session_with_held_turn(&home);
    assert_eq!(home.error_code(&["queue", "edit", &running, "other"]), "message_not_queued");
    assert_eq!(home.error_code(&["queue", "rm", &running]), "message_not_queued");
    home.api.release("gate");
    home.wait_message(&id, &running, "done");
    assert_eq!(home.error_code(&["queue", "move", &running, "0"]), "message_not_queued");
    assert_eq!(home.error_code(&["queue", "again", &running]), "message_not_interrupted");
}

#[test]
fn queues_of_different_sessions_do_not_mix() {
    let home = TestHome::new();
    let (first, _) = session_with_held_turn(&home);
    let second = home.idle_session(&home.project("other"), &[]);
    home.send(&first, "for the first");
    home.send_and_wait(&second, "for the second");
    assert_eq!(home.queued_texts(&first), ["for the first"]);
    let seconds = rows(&home.json(&["queue", &second, "--all"]), "messages");
    assert_eq!(texts(&seconds, "text"), ["for the second"]);
    home.api.release("gate");
    home.wait(&first, "idle");
}

#[test]
fn a_request_to_an_overloaded_api_is_retried() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "error: 529 1");
    assert_eq!(home.api.prompt_count_of("error: 529 1"), 2);
}

#[test]
fn a_failed_turn_pauses_the_queue_and_a_person_decides() {
    let home = TestHome::new();
    let (id, _) = session_with_held_turn(&home);
    let failing = home.send(&id, "error: 400");
    let waiting = home.send(&id, "later");
    home.api.release("gate");
    home.wait_message(&id, &failing, "failed");
    let session = home.wait_session(&id, "a person must decide", |session| !session["attention"].is_null());
    assert_eq!(session["attention"]["kind"], "failed");
    assert_eq!(home.message(&id, &waiting)["state"], "queued");
    let again = areyouj_tests::home::text_of(&home.json(&["queue", "again", &failing]), "id");
    home.wait_message(&id, &again, "failed");
    assert_eq!(home.message(&id, &waiting)["state"], "queued", "the next failure pauses the queue again");
    home.ok(&["queue", "skip", &again]);
    home.wait_message(&id, &waiting, "done");
}
