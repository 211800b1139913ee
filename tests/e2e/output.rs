//! The output and the exit codes of the command line.

use std::process::{Command, Stdio};

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};
use serde_json::Value;

#[test]
fn the_transcript_has_every_entry_once_and_in_order() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &["--permission-mode", "bypassPermissions"]);
    let thinking = home.send_and_wait(&id, "think: tea");
    home.send_and_wait(&id, "run: echo made");
    let entries = home.transcript(&id);
    let numbers: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=entries.len() as u64).collect::<Vec<_>>(), "no gap");
    let kinds: Vec<&str> = entries
        .iter()
        .map(|entry| entry["body"]["kind"].as_str().unwrap())
        .filter(|kind| *kind != "notice")
        .collect();
    let first = ["user", "thinking", "text", "turnEnd"];
    let second = ["user", "text", "toolCall", "toolResult", "text", "turnEnd"];
    assert_eq!(kinds, [&first[..], &second[..]].concat());
    let of_kind =
        |kind: &str| entries.iter().find(|entry| entry["body"]["kind"] == kind).unwrap()["body"].clone();
    assert_eq!(of_kind("user")["messageId"], thinking.as_str());
    assert_eq!(of_kind("thinking")["text"], "Let me think about tea.");
    assert_eq!(of_kind("toolResult")["text"], "made");
    assert!(of_kind("turnEnd")["costUsd"].as_f64().is_some_and(|cost| cost > 0.0));
}

#[test]
fn logs_can_be_followed() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let mut following = home.spawn(&["logs", &id, "-f", "--json"]);
    let mut wait_for_text = |text: &str| loop {
        let line = home.expect(following.line(EVENT_TIMEOUT));
        let entry: Value = serde_json::from_str(&line).unwrap();
        if entry["body"]["kind"] == "text" && entry["body"]["text"] == text {
            break;
        }
    };
    wait_for_text("Echo: before");
    home.send(&id, "after");
    wait_for_text("Echo: after");
}

#[test]
fn exit_codes_distinguish_done_failed_usage_and_timeout() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let status = |arguments: &[&str]| home.areyouj(arguments).status;
    assert_eq!(status(&["ls"]), 0);
    assert_eq!(status(&["--help"]), 0);
    assert_eq!(status(&["show", "ZZZZZZZZ"]), 1);
    assert_eq!(status(&["nonsense"]), 2);
    assert_eq!(status(&["wait", &id, "--for", "nonsense"]), 2);
    assert_eq!(status(&["send", &id]), 2);
    assert_eq!(status(&["wait", &id, "--for", "terminated", "--timeout", "0.1"]), 3);
}

#[test]
fn usage_errors_are_json_with_the_json_option() {
    let home = TestHome::with_stand_in("obedient");
    let run = home.areyouj(&["send", "--json"]);
    assert_eq!(run.status, 2, "{run}");
    assert!(home.expect(run.error())["message"].is_string(), "{run}");
    assert!(run.stdout.is_empty());
}

#[test]
fn texts_of_people_and_claude_cannot_control_the_terminal() {
    let home = TestHome::new();
    let nasty = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J";
    let id = home.idle_session(&home.project("a\u{1b}[7mb"), &[]);
    home.send_and_wait(&id, nasty);
    // Claude itself rejects commands with control characters, but a question can contain any.
    home.send(&id, &format!("ask: {nasty}? | yes{nasty} | no"));
    home.wait_permission_request(&id);
    for arguments in [&["ls"][..], &["show", &id], &["queue", &id, "--all"], &["logs", &id], &["permissions"]]
    {
        let run = home.areyouj(arguments);
        let printed = format!("{}{}", run.stdout, run.stderr);
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!printed.contains(control), "{arguments:?} printed {printed:?}");
    }
}

#[test]
fn no_color_means_no_escape_sequences_even_on_a_terminal() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &["--name", "plain"]);
    let on_a_terminal = |command: &str, variable: &str| {
        // script(1) runs a command on a separate terminal and forwards its output.
        let run = Command::new("script")
            .args(["-qec", &format!("'{}' {command}", home.cli.program.display()), "/dev/null"])
            .env_clear()
            .envs(&home.cli.environment)
            .env("TERM", "xterm-256color")
            .env(variable, "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&run.stdout).into_owned()
    };
    for command in ["ls", &format!("show {id}"), &format!("queue {id}"), "daemon status"] {
        let printed = on_a_terminal(command, "NO_COLOR");
        assert!(!printed.is_empty() && !printed.contains('\u{1b}'), "{command}: {printed:?}");
    }
    let coloured = on_a_terminal("ls", "UNRELATED");
    assert!(coloured.contains("\u{1b}["), "without NO_COLOR there are colours: {coloured:?}");
}

#[test]
fn a_closed_pipe_does_not_cause_a_panic() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    for number in 0..5 {
        home.send_and_wait(&id, &format!("message {number}"));
    }
    let program = home.cli.program.display().to_string();
    let run = Command::new("/bin/bash")
        .args(["-c", &format!("set -o pipefail; '{program}' logs {id} | head -n 1")])
        .env_clear()
        .envs(&home.cli.environment)
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&run.stderr).contains("panicked"), "{run:?}");
}

#[test]
fn json_has_no_character_that_a_terminal_obeys_or_that_hides_something() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &["--name", "shop"]);
    let text = "ls \u{9b}2J\u{9d}0;title\u{9c} \u{202e}txt.exe\u{200b}\u{e0041} caf\u{e9}";
    home.send_and_wait(&id, text);
    let missing = format!("/nowhere/{text}");
    let mut printed = String::new();
    for arguments in [
        &["logs", &id, "--json"][..],
        &["queue", &id, "--all", "--json"],
        &["ls", "--json"],
        &["show", &id, "--json"],
        &["new", &missing, "--json"],
        &["ls", text, "--json"],
        &["ls", text],
    ] {
        let run = home.areyouj(arguments);
        printed += &(run.stdout + &run.stderr);
    }
    let mut following = home.spawn(&["logs", &id, "-f", "--json"]);
    while !printed.ends_with("turnEnd") {
        let line = home.expect(following.line(EVENT_TIMEOUT));
        printed += &line;
        let entry: Value = serde_json::from_str(&line).unwrap();
        printed += if entry["body"]["kind"] == "turnEnd" { "turnEnd" } else { "" };
    }
    let raw = |one: &char| {
        (one.is_control() && *one != '\n') || matches!(one, '\u{202e}' | '\u{200b}' | '\u{e0041}')
    };
    assert_eq!(printed.chars().find(raw), None, "{printed:?}");
    assert!(printed.matches(r"\u202etxt.exe\u200b\udb40\udc41 café").count() >= 4, "{printed}");
    let queue = home.json(&["queue", &id, "--all"]);
    assert!(queue.to_string().contains('\u{202e}'), "the value is unchanged");
}
