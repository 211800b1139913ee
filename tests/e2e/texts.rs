//! Texts that a message cannot have, and unusual ones that it can have.

use areyouj_tests::bystander::Bystander;
use areyouj_tests::cli::Cli;
use areyouj_tests::home::{TestHome, text_of};

/// The maximum length of a message, in bytes.
const LIMIT_BYTES: usize = 1 << 20;

#[test]
fn a_message_must_have_text() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    for blank in ["", " ", "\n\t \r\n", "\u{2003}\u{a0}"] {
        assert_eq!(home.error_code(&["send", &bystander.id, blank]), "message_empty", "{blank:?}");
        let run = home.expect(home.cli.run_with_input(&["send", &bystander.id, "-", "--json"], blank));
        assert_eq!(home.error_of(&run)["code"], "message_empty", "{blank:?}");
    }
    assert!(home.messages(&bystander.id).is_empty());
    bystander.assert_responsive(&home);
}

#[test]
fn a_message_of_the_maximum_length_runs_and_a_longer_one_is_rejected() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let largest = "All work and no play. ".repeat(LIMIT_BYTES / 22 + 1)[..LIMIT_BYTES - 1].to_owned() + "!";
    let send = |text: &str| home.expect(home.cli.run_with_input(&["send", &id, "-", "--json"], text));
    for beyond in [format!("{largest}!"), "x".repeat(2_000_000), "ä".repeat(1_500_001), "x".repeat(3 << 20)]
    {
        let error = home.error_of(&send(&beyond));
        assert_eq!(error["code"], "message_too_large", "{} bytes: {error}", beyond.len());
    }
    assert!(home.messages(&id).is_empty());
    let message = text_of(&home.expect(send(&largest).json()), "id");
    home.wait_message(&id, &message, "done");
    assert_eq!(home.api.prompts(), [largest.as_str()]);
    assert_eq!(home.message(&id, &message)["text"], largest.as_str());
    bystander.assert_responsive(&home);
}

#[test]
fn a_message_is_stored_byte_for_byte_and_printed_safely() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let id = home.idle_session(&home.project("project"), &[]);
    let nasty = "first\0\u{1}\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\r\n\u{202e}last\u{7f}";
    let run = home.expect(home.cli.run_with_input(&["send", &id, "-", "--json"], nasty));
    let message = text_of(&home.expect(run.json()), "id");
    let prints_safely = |arguments: &[&str]| {
        let run = home.areyouj(arguments);
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert_eq!(run.status, 0, "{run}");
        assert!(!format!("{}{}", run.stdout, run.stderr).contains(harmful), "{arguments:?}: {run:?}");
    };
    home.wait_message(&id, &message, "done");
    assert_eq!(home.message(&id, &message)["text"], nasty);
    assert_eq!(home.api.prompts(), [nasty]);
    home.ok(&["queue", "pause", &id]);
    home.expect(home.cli.run_with_input(&["send", &id, "-"], nasty));
    assert_eq!(home.queued_texts(&id), [nasty]);
    for arguments in
        [&["ls"][..], &["show", &id], &["queue", &id], &["queue", &id, "--all"], &["logs", &id], &["doctor"]]
    {
        prints_safely(arguments);
    }
    bystander.assert_responsive(&home);
}

#[test]
fn a_message_that_is_not_utf8_is_rejected() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let id = &bystander.id;
    let run = home.expect(home.cli.run_with_input(&["send", id, "-", "--json"], b"caf\xe9"));
    assert_eq!(home.error_of(&run)["code"], "invalid_params");
    // As an argument that is not UTF-8: a shell can pass one, but the arguments in this test are strings.
    let shell = Cli { program: "/bin/bash".into(), ..home.cli.clone() };
    let program = home.cli.program.to_str().unwrap();
    let run = home.expect(shell.run(&["-c", r#"exec "$0" send "$1" $'caf\xe9' --json"#, program, id]));
    assert_eq!(run.status, 2, "{run}");
    assert_eq!(home.expect(run.error())["code"], "invalid_params");
    assert!(home.messages(id).is_empty());
    bystander.assert_responsive(&home);
}
