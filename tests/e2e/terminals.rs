//! Terminal sessions: Claude's own user interface in real terminals, with the same list, queue and permission requests
//! as other sessions.

use std::fs;
use std::path::Path;

use anyhow::Context;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id, text_of, texts};
use areyouj_tests::tmux::Terminal;
use serde_json::Value;

const SIZE: (u16, u16) = (90, 28);

/// The text on Claude's screen when it is ready for a prompt.
const READY: &str = "? for shortcuts";

/// A home with an idle terminal session, and the session's id.
fn session(options: &[&str]) -> (TestHome, String) {
    let home = TestHome::new();
    let options = [&["--driver", "terminal", "--permission-mode", "default"], options].concat();
    let id = home.idle_session(&home.project("project"), &options);
    (home, id)
}

fn shell(home: &TestHome) -> Terminal {
    home.expect(Terminal::open(&home.cli.directory, &home.cli.environment, SIZE))
}

/// A terminal that is attached to the session.
fn attached(home: &TestHome, id: &str) -> Terminal {
    let terminal = shell(home);
    attach(home, &terminal, id);
    terminal
}

fn attach(home: &TestHome, terminal: &Terminal, id: &str) {
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    wait_for_text(home, terminal, READY);
}

fn wait_for_text(home: &TestHome, terminal: &Terminal, text: &str) {
    home.expect(terminal.wait_for(text, EVENT_TIMEOUT));
}

fn submit(home: &TestHome, terminal: &Terminal, text: &str) {
    home.expect(terminal.type_text(text));
    wait_for_text(home, terminal, text);
    home.expect(terminal.press(&["Enter"]));
}

/// The texts of a transcript.
fn texts_of(entries: &[Value]) -> Vec<String> {
    let bodies: Vec<Value> = entries.iter().map(|entry| entry["body"].clone()).collect();
    texts(&bodies, "text")
}

#[test]
fn a_typed_prompt_is_reported_to_every_client() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    submit(&home, &terminal, "hold: gate");
    let session = home.wait_session(&id, "the session runs the typed prompt", |session| {
        session["currentTask"] == "hold: gate"
    });
    assert_eq!((&session["status"], &session["statusSource"]), (&"active".into(), &"hook".into()));
    home.api.release("gate");
    home.wait(&id, "idle");
    wait_for_text(&home, &terminal, "gate was released.");
    let entries = home.transcript(&id);
    let texts = texts_of(&entries);
    assert!(texts.contains(&"hold: gate".to_owned()), "{entries:#?}");
    assert!(texts.iter().any(|text| text.ends_with("gate was released.")), "{entries:#?}");
}

#[test]
fn queued_messages_of_any_content_are_delivered_one_after_the_other() {
    let (home, id) = session(&[]);
    let long = format!("long {}", "line of text\n".repeat(1_500));
    let sent = [
        "slow: 3 one",
        "two lines\nof text, and \"quotes\"",
        "!not a shell command",
        "\u{1b}[201~\r/exit\r escapes",
        "\ttabs\tand  spaces  ",
        "中文 🎉 é",
        &long,
    ];
    let ids: Vec<String> = sent.iter().map(|text| home.send(&id, text)).collect();
    for message in &ids {
        home.wait_message(&id, message, "done");
    }
    let prompts = home.api.prompts();
    let bare = |text: &str| -> String {
        text.replace("\u{1b}", "")
            .chars()
            .filter(|character| !character.is_whitespace() && !character.is_control())
            .collect()
    };
    let expected: Vec<String> = sent.iter().map(|text| bare(text)).collect();
    let received: Vec<String> = prompts.iter().map(|text| bare(text)).collect();
    for (expected, number) in expected.iter().zip(1..) {
        let times = received.iter().filter(|received| received.contains(expected.as_str())).count();
        assert_eq!(times, 1, "message {number} of {prompts:#?}");
    }
    assert!(!home.project("project").join("not").exists());
}

/// Presses a key in a permission dialog, and again if necessary: Claude ignores keys right after it displays the
/// dialog. It must not press more often than necessary, because another Escape would have another effect.
fn answer(home: &TestHome, terminal: &Terminal, id: &str, key: &str) {
    const ATTEMPTS: usize = 20;
    let accepted = (0..ATTEMPTS).any(|_| {
        home.expect(terminal.press(&[key]));
        let open = |_: &Terminal| Ok(home.session(id)["status"] != "waiting");
        terminal.wait_until("an answer", EVENT_TIMEOUT / ATTEMPTS as u32, open).is_ok()
    });
    assert!(accepted, "{key} did not answer the request");
}

#[test]
fn a_request_is_answered_by_any_client_and_closed_in_all() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let project = home.project("project");

    let first = home.send(&id, "run: touch from-outside");
    let request = home.wait_permission_request(&id);
    wait_for_text(&home, &terminal, "Do you want to proceed?");
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&id, &first, "done");
    wait_for_text(&home, &terminal, "Allowed by PermissionRequest hook");
    assert!(project.join("from-outside").is_file());

    let second = home.send(&id, "run: touch from-the-terminal; sleep 1");
    let request = home.wait_permission_request(&id);
    wait_for_text(&home, &terminal, "Do you want to proceed?");
    answer(&home, &terminal, &id, "Enter");
    assert_eq!(home.error_code(&["allow", &text_of(&request, "id")]), "permission_answered");
    home.wait_message(&id, &second, "done");
    assert!(project.join("from-the-terminal").is_file());

    let third = home.send(&id, "run: touch never");
    home.wait_permission_request(&id);
    wait_for_text(&home, &terminal, "Do you want to proceed?");
    answer(&home, &terminal, &id, "Escape");
    home.wait_message(&id, &third, "interrupted");
    home.wait(&id, "idle");
    assert!(!project.join("never").exists());
}

#[test]
fn a_question_is_answered_with_the_command_line() {
    let (home, id) = session(&[]);
    let message = home.send(&id, "ask: Which colour? | Red | Blue");
    let request = home.wait_permission_request(&id);
    home.ok(&["answer", &text_of(&request, "id"), "Blue"]);
    home.wait_message(&id, &message, "done");
    assert!(texts_of(&home.transcript(&id)).iter().any(|text| text.contains("Blue")));
}

/// Waits until two terminals have the same cells and modes.
fn wait_until_equal(home: &TestHome, one: &Terminal, other: &Terminal) {
    let equal =
        one.wait_until("two terminals are equal", EVENT_TIMEOUT, |one| Ok(one.difference(other)?.is_none()));
    home.expect(equal.with_context(|| format!("{:#?}", one.difference(other))));
}

#[test]
fn a_reattached_terminal_shows_the_same_screen_as_an_attached_one() {
    let (home, id) = session(&[]);
    let staying = attached(&home, &id);
    let leaving = attached(&home, &id);
    wait_until_equal(&home, &staying, &leaving);
    let before = home.expect(shell(&home).modes());

    for text in ["slow: 5 **bold** `code` ~~gone~~ 中文 🎉", "run: touch a"] {
        home.expect(leaving.press(&["C-\\"]));
        home.expect(leaving.type_text("d"));
        wait_for_text(&home, &leaving, &format!("Detached from {id}"));
        let after = home.expect(leaving.modes());
        let flags = |modes: &str| modes.split(' ').skip(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(flags(&after), flags(&before), "the modes of the terminal must be restored");
        home.send(&id, text);
        if text.starts_with("run") {
            home.wait(&id, "waiting");
            wait_for_text(&home, &staying, "Do you want to proceed?");
            home.expect(leaving.type_text(&format!("areyouj attach {id}\n")));
            wait_for_text(&home, &leaving, "Do you want to proceed?");
        } else {
            home.wait(&id, "idle");
            attach(&home, &leaving, &id);
        }
        wait_until_equal(&home, &staying, &leaving);
    }
}

#[test]
fn the_screen_has_the_size_of_the_smallest_terminal() {
    let (home, id) = session(&[]);
    let large = attached(&home, &id);
    let small = attached(&home, &id);
    home.expect(small.resize((70, 20)));
    let is = |width: usize| {
        move |terminal: &Terminal| {
            let screen = terminal.screen()?;
            let lines = screen.lines().map(|line| line.chars().filter(|character| *character == '─').count());
            // READY is at the bottom, so the screen is complete: Claude draws from the top.
            Ok(lines.max() == Some(width) && screen.contains(READY))
        }
    };
    home.expect(large.wait_until("a screen of the smaller size", EVENT_TIMEOUT, is(70)));
    home.expect(small.press(&["C-\\"]));
    home.expect(small.type_text("d"));
    home.expect(large.wait_until("a screen of the larger size", EVENT_TIMEOUT, is(90)));
}

#[test]
fn a_killed_daemon_does_not_affect_viewers() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let waiting = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    let next = home.send(&id, "next");
    home.kill(home.daemon_pid());
    home.api.release("gate");
    wait_for_text(&home, &terminal, "gate was released.");
    submit(&home, &terminal, "slow: 2 no daemon");
    wait_for_text(&home, &terminal, "word2 no daemon");
    home.wait_message(&id, &waiting, "done");
    home.wait_message(&id, &next, "done");
    assert_eq!(home.api.prompt_count_of("next"), 1);
    home.wait(&id, "idle");
}

#[test]
fn a_permission_request_survives_a_killed_daemon() {
    let (home, id) = session(&[]);
    let message = home.send(&id, "run: touch a");
    let request = home.wait_permission_request(&id);
    home.kill(home.daemon_pid());
    assert_eq!(text_of(&home.wait_permission_request(&id), "id"), text_of(&request, "id"));
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&id, &message, "done");
}

/// Checks that a key interrupts the turn and pauses the queue.
fn key_interrupts(key: &str) {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let first = home.send(&id, "hold: gate # first");
    home.expect(home.api.wait_for_prompt("hold: gate # first", EVENT_TIMEOUT));
    home.wait(&id, "active");
    let second = home.send(&id, "second");
    wait_for_text(&home, &terminal, "esc to interrupt");
    home.expect(terminal.press(&[key]));
    home.wait_message(&id, &first, "interrupted");
    home.wait_session(&id, "a paused queue", |session| session["queuePaused"] == "the turn was interrupted");
    assert_eq!(home.message(&id, &second)["state"], "queued");
    // Claude can put the prompt back into its input; then it is sent together with the next message.
    home.api.release("gate");
    home.ok(&["queue", "resume", &id]);
    home.wait_message(&id, &second, "done");
}

#[test]
fn escape_interrupts_the_turn_and_pauses_the_queue() {
    key_interrupts("Escape");
}

#[test]
fn control_c_interrupts_the_turn_and_pauses_the_queue() {
    key_interrupts("C-c");
}

#[test]
fn an_interrupt_of_a_client_interrupts_the_turn() {
    let (home, id) = session(&[]);
    let message = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.wait(&id, "active");
    home.ok(&["interrupt", &id]);
    home.wait_message(&id, &message, "interrupted");
    assert_eq!(home.session(&id)["status"], "idle");
}

/// Whether the queue waits because of unsent text in the terminal.
fn waits_for_a_draft(session: &Value) -> bool {
    session["statusReason"].as_str().is_some_and(|reason| reason.contains("the text in the terminal"))
}

/// A session with unsent text in its terminal, and a message that waits for it.
fn waiting_for_a_draft() -> (TestHome, String, Terminal, String) {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    home.expect(terminal.type_text("half a thought"));
    wait_for_text(&home, &terminal, "half a thought");
    let message = home.send(&id, "from the queue");
    home.wait_session(&id, "a queue that waits", waits_for_a_draft);
    (home, id, terminal, message)
}

#[test]
fn a_message_waits_while_a_person_types() {
    let (home, id, terminal, message) = waiting_for_a_draft();
    home.expect(terminal.press(&["Enter"]));
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), ["half a thought", "from the queue"]);
}

#[test]
fn the_queue_still_waits_for_a_draft_after_a_restart_of_the_daemon() {
    let (home, id, terminal, message) = waiting_for_a_draft();
    home.kill(home.daemon_pid());
    home.wait_session(&id, "a queue that still waits", waits_for_a_draft);
    home.expect(terminal.press(&["Enter"]));
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), ["half a thought", "from the queue"]);
}

#[test]
fn a_message_is_put_into_the_running_turn() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let first = home.send(&id, "run: touch begun; until [ -e go ]; do sleep 0.05; done");
    let request = home.wait_permission_request(&id);
    home.ok(&["allow", &text_of(&request, "id")]);
    let started = home.project("project").join("begun");
    home.expect(terminal.wait_until("the tool is running", EVENT_TIMEOUT, |_| Ok(started.exists())));
    home.wait(&id, "active");
    let steered = text_of(&home.json(&["steer", &id, "and this"]), "id");
    assert_eq!(home.message(&id, &steered)["state"], "running");
    home.expect(fs::write(home.project("project").join("go"), "").map_err(Into::into));
    for message in [&first, &steered] {
        home.wait_message(&id, message, "done");
    }
}

#[test]
fn a_dialog_of_claude_is_reported_as_waiting() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    submit(&home, &terminal, "/help");
    let session = home.wait_session(&id, "a dialog", |session| session["status"] == "waiting");
    assert_eq!(session["attention"]["kind"], "terminal");
    home.expect(terminal.press(&["Escape"]));
    home.wait(&id, "idle");
}

#[test]
fn a_switch_to_stream_and_back_keeps_the_queue_and_the_transcript() {
    let (home, id) = session(&[]);
    let conversation = home.session(&id)["claudeSessionId"].clone();
    let first = home.send(&id, "in the terminal");
    home.wait_message(&id, &first, "done");
    let held = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    let queued = home.send(&id, "in the stream");
    let switching = home.spawn(&["switch-driver", &id, "stream"]);
    home.wait_session(&id, "a switch that waits", |session| {
        session["statusReason"].as_str().is_some_and(|reason| reason.contains("when the turn has ended"))
    });
    home.api.release("gate");
    home.expect(switching.finish(EVENT_TIMEOUT).and_then(areyouj_tests::cli::Run::success));
    home.wait_message(&id, &held, "done");
    home.wait_message(&id, &queued, "done");
    assert_eq!(home.session(&id)["driver"], "stream");
    assert_eq!(home.error_code(&["attach", &id]), "not_a_terminal");

    home.ok(&["switch-driver", &id, "terminal"]);
    let last = home.send(&id, "in the terminal again");
    home.wait_message(&id, &last, "done");
    let terminal = attached(&home, &id);
    // Claude displays the whole conversation, so the terminal must, too.
    for text in ["in the stream", "in the terminal again"] {
        wait_for_text(&home, &terminal, text);
    }
    let entries = home.transcript(&id);
    let texts = texts_of(&entries);
    let places: Vec<Option<usize>> =
        ["in the terminal", "hold: gate", "in the stream", "in the terminal again"]
            .map(|text| texts.iter().position(|entry| entry == text))
            .into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{texts:#?}");
    assert_eq!(home.session(&id)["claudeSessionId"], conversation);
    assert_eq!(
        home.api.prompts(),
        ["in the terminal", "hold: gate", "in the stream", "in the terminal again"]
    );
}

#[test]
fn a_switch_is_rejected_while_the_conversation_is_open_elsewhere() {
    let (home, id) = session(&[]);
    let first = home.send(&id, "hello");
    home.wait_message(&id, &first, "done");
    home.ok(&["switch-driver", &id, "stream"]);
    let conversation = text_of(&home.session(&id), "claudeSessionId");
    // A person opens the conversation manually.
    let terminal = shell(&home);
    let claude = home.cli.environment["AREYOUJ_CLAUDE"].to_string_lossy().into_owned();
    home.expect(terminal.type_text(&format!("cd project && {claude} --resume {conversation}\n")));
    wait_for_text(&home, &terminal, "❯ hello");
    // A prefix of the id is sufficient.
    let error = home.rejection(&["switch-driver", &id[..4], "terminal"]);
    assert_eq!(text_of(&error, "code"), "conversation_open");
    assert!(text_of(&error, "message").contains("project"), "{error:#?}");
    assert_eq!(home.session(&id)["driver"], "stream");
    assert_eq!(home.session(&id)["status"], "idle", "Claude was not stopped");
}

#[test]
fn a_session_is_terminated_when_a_person_exits_claude() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    home.expect(terminal.press(&["C-d"]));
    home.expect(terminal.press(&["C-d"]));
    home.wait(&id, "terminated");
    wait_for_text(&home, &terminal, &format!("{id} was terminated."));
}

#[test]
fn a_viewer_continues_after_the_host_was_killed() {
    let (home, id) = session(&[]);
    let done = home.send(&id, "hello");
    home.wait_message(&id, &done, "done");
    let terminal = attached(&home, &id);
    let before = process_id(&home.session(&id), "pid");
    home.kill(process_id(&home.session(&id), "hostPid"));
    home.wait_session(&id, "another Claude", |session| {
        session["status"] == "idle" && session["pid"].as_i64().is_some_and(|pid| pid != i64::from(before))
    });
    submit(&home, &terminal, "still running");
    wait_for_text(&home, &terminal, "Echo: still running");
}

#[test]
fn attaching_needs_a_terminal_and_a_terminal_session() {
    let (home, id) = session(&[]);
    assert_eq!(home.error_code(&["attach", &id]), "invalid_params");
    let stream = home.idle_session(&home.project("stream"), &[]);
    assert_eq!(home.error_code(&["attach", &stream]), "not_a_terminal");
    assert_eq!(home.error_code(&["attach", "ZZZZZZZZ"]), "session_not_found");
}

#[test]
fn the_settings_of_the_user_are_not_written() {
    let (home, id) = session(&[]);
    let done = home.send(&id, "hello");
    home.wait_message(&id, &done, "done");
    let config = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).to_owned();
    for name in ["settings.json", "settings.local.json"] {
        assert!(!config.join(name).exists(), "{name}");
        assert!(!home.project("project").join(".claude").join(name).exists(), "{name}");
    }
}

#[test]
fn control_c_discards_a_draft_and_resumes_the_queue() {
    let (home, id, terminal, message) = waiting_for_a_draft();
    home.expect(terminal.press(&["C-c"]));
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), ["from the queue"]);
}
