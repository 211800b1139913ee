//! Terminal sessions: Claude's own screen in real terminals, with the same list, queue and prompts as any session.

use std::fs;
use std::path::Path;

use anyhow::Context;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id, text_of, texts};
use areyouj_tests::tmux::Terminal;
use serde_json::Value;

const SIZE: (u16, u16) = (90, 28);

/// What Claude's screen shows when it is ready for a prompt.
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

/// A terminal that shows the session.
fn attached(home: &TestHome, id: &str) -> Terminal {
    let terminal = shell(home);
    attach(home, &terminal, id);
    terminal
}

fn attach(home: &TestHome, terminal: &Terminal, id: &str) {
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    shows(home, terminal, READY);
}

fn shows(home: &TestHome, terminal: &Terminal, text: &str) {
    home.expect(terminal.wait_for(text, EVENT_TIMEOUT));
}

fn submit(home: &TestHome, terminal: &Terminal, text: &str) {
    home.expect(terminal.type_text(text));
    shows(home, terminal, text);
    home.expect(terminal.press(&["Enter"]));
}

/// What was said, of a transcript.
fn said(entries: &[Value]) -> Vec<String> {
    let bodies: Vec<Value> = entries.iter().map(|entry| entry["body"].clone()).collect();
    texts(&bodies, "text")
}

#[test]
fn a_person_types_and_everybody_knows() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    submit(&home, &terminal, "hold: gate");
    let session =
        home.wait_session(&id, "does what was typed", |session| session["currentTask"] == "hold: gate");
    assert_eq!((&session["status"], &session["statusSource"]), (&"active".into(), &"hook".into()));
    home.api.release("gate");
    home.wait(&id, "idle");
    shows(&home, &terminal, "gate was released.");
    let entries = home.transcript(&id);
    let said = said(&entries);
    assert!(said.contains(&"hold: gate".to_owned()), "{entries:#?}");
    assert!(said.iter().any(|text| text.ends_with("gate was released.")), "{entries:#?}");
}

#[test]
fn a_queue_is_delivered_one_message_after_the_other_whatever_is_in_them() {
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
    let asked = home.api.prompts();
    let bare = |text: &str| -> String {
        text.replace("\u{1b}", "")
            .chars()
            .filter(|character| !character.is_whitespace() && !character.is_control())
            .collect()
    };
    let expected: Vec<String> = sent.iter().map(|text| bare(text)).collect();
    let received: Vec<String> = asked.iter().map(|text| bare(text)).collect();
    for (expected, number) in expected.iter().zip(1..) {
        let times = received.iter().filter(|received| received.contains(expected.as_str())).count();
        assert_eq!(times, 1, "message {number} of {asked:#?}");
    }
    assert!(!home.project("project").join("not").exists());
}

/// Presses a key at a prompt, and again if need be: Claude takes none for an answer as long as it may have been meant for
/// something else. Not more often than need be: the next Escape would be one for something else.
fn answer(home: &TestHome, terminal: &Terminal, id: &str, key: &str) {
    const TRIES: usize = 20;
    let answered = (0..TRIES).any(|_| {
        home.expect(terminal.press(&[key]));
        let open = |_: &Terminal| Ok(home.session(id)["status"] != "waiting");
        terminal.wait_until("an answer", EVENT_TIMEOUT / TRIES as u32, open).is_ok()
    });
    assert!(answered, "{key} answers nothing");
}

#[test]
fn a_prompt_is_answered_from_anywhere_and_closed_everywhere() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let project = home.project("project");

    let first = home.send(&id, "run: touch from-outside");
    let prompt = home.wait_permission_request(&id);
    shows(&home, &terminal, "Do you want to proceed?");
    home.ok(&["allow", &text_of(&prompt, "id")]);
    home.wait_message(&id, &first, "done");
    shows(&home, &terminal, "Allowed by PermissionRequest hook");
    assert!(project.join("from-outside").is_file());

    let second = home.send(&id, "run: touch from-the-terminal; sleep 1");
    let prompt = home.wait_permission_request(&id);
    shows(&home, &terminal, "Do you want to proceed?");
    answer(&home, &terminal, &id, "Enter");
    assert_eq!(home.error_code(&["allow", &text_of(&prompt, "id")]), "permission_answered");
    home.wait_message(&id, &second, "done");
    assert!(project.join("from-the-terminal").is_file());

    let third = home.send(&id, "run: touch never");
    home.wait_permission_request(&id);
    shows(&home, &terminal, "Do you want to proceed?");
    answer(&home, &terminal, &id, "Escape");
    home.wait_message(&id, &third, "interrupted");
    home.wait(&id, "idle");
    assert!(!project.join("never").exists());
}

#[test]
fn a_question_is_answered_from_outside() {
    let (home, id) = session(&[]);
    let message = home.send(&id, "ask: Which colour? | Red | Blue");
    let prompt = home.wait_permission_request(&id);
    home.ok(&["answer", &text_of(&prompt, "id"), "Blue"]);
    home.wait_message(&id, &message, "done");
    assert!(said(&home.transcript(&id)).iter().any(|text| text.contains("Blue")));
}

/// Waits until two terminals show the same, cell by cell, with the same modes.
fn same(home: &TestHome, one: &Terminal, other: &Terminal) {
    let alike = one
        .wait_until("two terminals show the same", EVENT_TIMEOUT, |one| Ok(one.difference(other)?.is_none()));
    home.expect(alike.with_context(|| format!("{:#?}", one.difference(other))));
}

#[test]
fn who_comes_back_finds_the_screen_that_one_sees_who_never_left() {
    let (home, id) = session(&[]);
    let staying = attached(&home, &id);
    let leaving = attached(&home, &id);
    same(&home, &staying, &leaving);
    let before = home.expect(shell(&home).modes());

    for text in ["slow: 5 **bold** `code` ~~gone~~ 中文 🎉", "run: touch a"] {
        home.expect(leaving.press(&["C-\\"]));
        home.expect(leaving.type_text("d"));
        shows(&home, &leaving, &format!("Detached from {id}"));
        let after = home.expect(leaving.modes());
        let flags = |modes: &str| modes.split(' ').skip(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(flags(&after), flags(&before), "the terminal is as it was before");
        home.send(&id, text);
        if text.starts_with("run") {
            home.wait(&id, "waiting");
            shows(&home, &staying, "Do you want to proceed?");
            home.expect(leaving.type_text(&format!("areyouj attach {id}\n")));
            shows(&home, &leaving, "Do you want to proceed?");
        } else {
            home.wait(&id, "idle");
            attach(&home, &leaving, &id);
        }
        same(&home, &staying, &leaving);
    }
}

#[test]
fn everybody_sees_everything_in_the_smallest_of_the_terminals() {
    let (home, id) = session(&[]);
    let large = attached(&home, &id);
    let small = attached(&home, &id);
    home.expect(small.resize((70, 20)));
    let is = |width: usize| {
        move |terminal: &Terminal| {
            let screen = terminal.screen()?;
            let lines = screen.lines().map(|line| line.chars().filter(|character| *character == '─').count());
            // The whole of it: Claude paints from the top.
            Ok(lines.max() == Some(width) && screen.contains(READY))
        }
    };
    home.expect(large.wait_until("a screen of the smaller size", EVENT_TIMEOUT, is(70)));
    home.expect(small.press(&["C-\\"]));
    home.expect(small.type_text("d"));
    home.expect(large.wait_until("a screen of the larger size", EVENT_TIMEOUT, is(90)));
}

#[test]
fn a_killed_daemon_disturbs_nobody_who_looks() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let waiting = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    let next = home.send(&id, "next");
    home.kill(home.daemon_pid());
    home.api.release("gate");
    shows(&home, &terminal, "gate was released.");
    submit(&home, &terminal, "slow: 2 nobody there");
    shows(&home, &terminal, "word2 nobody there");
    home.wait_message(&id, &waiting, "done");
    home.wait_message(&id, &next, "done");
    assert_eq!(home.api.prompt_count_of("next"), 1);
    home.wait(&id, "idle");
}

#[test]
fn a_prompt_survives_the_daemon_that_told_of_it() {
    let (home, id) = session(&[]);
    let message = home.send(&id, "run: touch a");
    let prompt = home.wait_permission_request(&id);
    home.kill(home.daemon_pid());
    assert_eq!(text_of(&home.wait_permission_request(&id), "id"), text_of(&prompt, "id"));
    home.ok(&["allow", &text_of(&prompt, "id")]);
    home.wait_message(&id, &message, "done");
}

/// A key breaks the turn off, and what waits is held.
fn breaks_off(key: &str) {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    let first = home.send(&id, "hold: gate # first");
    home.expect(home.api.wait_for_prompt("hold: gate # first", EVENT_TIMEOUT));
    home.wait(&id, "active");
    let second = home.send(&id, "second");
    shows(&home, &terminal, "esc to interrupt");
    home.expect(terminal.press(&[key]));
    home.wait_message(&id, &first, "interrupted");
    home.wait_session(&id, "a paused queue", |session| session["queuePaused"] == "the turn was interrupted");
    assert_eq!(home.message(&id, &second)["state"], "queued");
    // Claude may have put the prompt back into its input: then it goes along with the next.
    home.api.release("gate");
    home.ok(&["queue", "resume", &id]);
    home.wait_message(&id, &second, "done");
}

#[test]
fn an_escape_breaks_the_turn_off_and_holds_the_queue() {
    breaks_off("Escape");
}

#[test]
fn control_c_breaks_the_turn_off_and_holds_the_queue() {
    breaks_off("C-c");
}

#[test]
fn an_interrupt_from_outside_is_an_escape() {
    let (home, id) = session(&[]);
    let message = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.wait(&id, "active");
    home.ok(&["interrupt", &id]);
    home.wait_message(&id, &message, "interrupted");
    assert_eq!(home.session(&id)["status"], "idle");
}

/// Whether the session's queue waits for what somebody types.
fn waits_for_a_draft(session: &Value) -> bool {
    session["statusReason"].as_str().is_some_and(|reason| reason.contains("the text in the terminal"))
}

/// A session in whose terminal a text stands that was not sent, and a message that waits for that.
fn held_by_a_draft() -> (TestHome, String, Terminal, String) {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    home.expect(terminal.type_text("half a thought"));
    shows(&home, &terminal, "half a thought");
    let message = home.send(&id, "from the queue");
    home.wait_session(&id, "a queue that waits", waits_for_a_draft);
    (home, id, terminal, message)
}

#[test]
fn a_message_waits_while_somebody_types() {
    let (home, id, terminal, message) = held_by_a_draft();
    home.expect(terminal.press(&["Enter"]));
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), ["half a thought", "from the queue"]);
}

#[test]
fn a_draft_still_holds_the_queue_when_the_daemon_was_replaced() {
    let (home, id, terminal, message) = held_by_a_draft();
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
    let prompt = home.wait_permission_request(&id);
    home.ok(&["allow", &text_of(&prompt, "id")]);
    let begun = home.project("project").join("begun");
    home.expect(terminal.wait_until("the tool runs", EVENT_TIMEOUT, |_| Ok(begun.exists())));
    home.wait(&id, "active");
    let steered = text_of(&home.json(&["steer", &id, "and this"]), "id");
    assert_eq!(home.message(&id, &steered)["state"], "running");
    home.expect(fs::write(home.project("project").join("go"), "").map_err(Into::into));
    for message in [&first, &steered] {
        home.wait_message(&id, message, "done");
    }
}

#[test]
fn a_dialog_of_claudes_own_is_shown_as_waiting() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    submit(&home, &terminal, "/help");
    let session = home.wait_session(&id, "a dialog", |session| session["status"] == "waiting");
    assert_eq!(session["attention"]["kind"], "terminal");
    home.expect(terminal.press(&["Escape"]));
    home.wait(&id, "idle");
}

#[test]
fn a_conversation_moves_to_stream_and_back_with_its_queue_and_transcript() {
    let (home, id) = session(&[]);
    let conversation = home.session(&id)["claudeSessionId"].clone();
    let first = home.send(&id, "in the terminal");
    home.wait_message(&id, &first, "done");
    let held = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    let queued = home.send(&id, "in the stream");
    let moving = home.spawn(&["switch-driver", &id, "stream"]);
    home.wait_session(&id, "a move that waits", |session| {
        session["statusReason"].as_str().is_some_and(|reason| reason.contains("when the turn has ended"))
    });
    home.api.release("gate");
    home.expect(moving.finish(EVENT_TIMEOUT).and_then(areyouj_tests::cli::Run::success));
    home.wait_message(&id, &held, "done");
    home.wait_message(&id, &queued, "done");
    assert_eq!(home.session(&id)["driver"], "stream");
    assert_eq!(home.error_code(&["attach", &id]), "not_a_terminal");

    home.ok(&["switch-driver", &id, "terminal"]);
    let last = home.send(&id, "in the terminal again");
    home.wait_message(&id, &last, "done");
    let terminal = attached(&home, &id);
    // Claude shows the whole conversation, and so do we.
    for text in ["in the stream", "in the terminal again"] {
        shows(&home, &terminal, text);
    }
    let entries = home.transcript(&id);
    let said = said(&entries);
    let places: Vec<Option<usize>> =
        ["in the terminal", "hold: gate", "in the stream", "in the terminal again"]
            .map(|text| said.iter().position(|said| said == text))
            .into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said:#?}");
    assert_eq!(home.session(&id)["claudeSessionId"], conversation);
    assert_eq!(
        home.api.prompts(),
        ["in the terminal", "hold: gate", "in the stream", "in the terminal again"]
    );
}

#[test]
fn a_conversation_that_is_open_elsewhere_is_not_written_to_by_two() {
    let (home, id) = session(&[]);
    let first = home.send(&id, "hello");
    home.wait_message(&id, &first, "done");
    home.ok(&["switch-driver", &id, "stream"]);
    let conversation = text_of(&home.session(&id), "claudeSessionId");
    // Somebody opens it by hand.
    let terminal = shell(&home);
    let claude = home.cli.environment["AREYOUJ_CLAUDE"].to_string_lossy().into_owned();
    home.expect(terminal.type_text(&format!("cd project && {claude} --resume {conversation}\n")));
    shows(&home, &terminal, "❯ hello");
    // The beginning of an id is enough for that.
    let refusal = home.rejection(&["switch-driver", &id[..4], "terminal"]);
    assert_eq!(text_of(&refusal, "code"), "conversation_open");
    assert!(text_of(&refusal, "message").contains("project"), "{refusal:#?}");
    assert_eq!(home.session(&id)["driver"], "stream");
    assert_eq!(home.session(&id)["status"], "idle", "nothing was ended");
}

#[test]
fn a_person_who_ends_claude_ends_the_session() {
    let (home, id) = session(&[]);
    let terminal = attached(&home, &id);
    home.expect(terminal.press(&["C-d"]));
    home.expect(terminal.press(&["C-d"]));
    home.wait(&id, "terminated");
    shows(&home, &terminal, &format!("{id} was terminated."));
}

#[test]
fn a_view_goes_on_when_the_host_was_killed() {
    let (home, id) = session(&[]);
    let done = home.send(&id, "hello");
    home.wait_message(&id, &done, "done");
    let terminal = attached(&home, &id);
    let before = process_id(&home.session(&id), "pid");
    home.kill(process_id(&home.session(&id), "hostPid"));
    home.wait_session(&id, "another Claude", |session| {
        session["status"] == "idle" && session["pid"].as_i64().is_some_and(|pid| pid != i64::from(before))
    });
    submit(&home, &terminal, "still here");
    shows(&home, &terminal, "Echo: still here");
}

#[test]
fn a_view_needs_a_terminal_and_a_session_that_has_one() {
    let (home, id) = session(&[]);
    assert_eq!(home.error_code(&["attach", &id]), "invalid_params");
    let stream = home.idle_session(&home.project("stream"), &[]);
    assert_eq!(home.error_code(&["attach", &stream]), "not_a_terminal");
    assert_eq!(home.error_code(&["attach", "ZZZZZZZZ"]), "session_not_found");
}

#[test]
fn nothing_of_the_persons_own_settings_is_written() {
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
fn a_control_c_that_takes_back_what_was_typed_lets_the_queue_go_on() {
    let (home, id, terminal, message) = held_by_a_draft();
    home.expect(terminal.press(&["C-c"]));
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), ["from the queue"]);
}
