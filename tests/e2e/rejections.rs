//! Rejected input: each error has a stable code, a message and a hint.

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{TestHome, text_of};

/// More sessions than there are first letters of ids, so that two ids have the same one.
const MORE_THAN_LETTERS: usize = 33;

#[test]
fn unknown_ids_are_reported() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let unknown = "ZZZZZZZZ";
    for arguments in
        [&["show", unknown][..], &["send", unknown, "text"], &["terminate", unknown], &["logs", unknown]]
    {
        assert_eq!(home.error_code(arguments), "session_not_found", "{arguments:?}");
    }
    let message = "00000000-0000-4000-8000-000000000000";
    assert_eq!(home.error_code(&["queue", "rm", message]), "message_not_found");
    assert_eq!(home.error_code(&["allow", &format!("{id}-99")]), "permission_not_found");
}

/// Texts that are not ids of sessions, messages or permission requests.
fn invalid_ids() -> Vec<String> {
    let ids = [
        "../../etc",
        "/etc/passwd",
        "\u{1b}[2J\u{1b}]0;x\u{7}",
        " ",
        "%s",
        "*",
        "'; DROP TABLE sessions",
        "é",
    ];
    ids.into_iter().map(str::to_owned).chain([("A".repeat(100_000)), "\u{1b}[7m".repeat(10_000)]).collect()
}

#[test]
fn an_invalid_id_matches_no_session_even_if_there_is_only_one() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    for id in &invalid_ids() {
        for (arguments, code) in [
            (&["show", id][..], "session_not_found"),
            (&["send", id, "text"], "session_not_found"),
            (&["steer", id, "text"], "session_not_found"),
            (&["queue", id], "session_not_found"),
            (&["queue", "clear", id], "session_not_found"),
            (&["wait", id], "session_not_found"),
            (&["logs", id], "session_not_found"),
            (&["permissions", id], "session_not_found"),
            (&["interrupt", id], "session_not_found"),
            (&["restart", id], "session_not_found"),
            (&["terminate", id], "session_not_found"),
            (&["rename", id, "name"], "session_not_found"),
            (&["rm", id], "session_not_found"),
            (&["queue", "edit", id, "text"], "message_not_found"),
            (&["queue", "rm", id], "message_not_found"),
            (&["queue", "move", id, "0"], "message_not_found"),
            (&["queue", "continue", id], "message_not_found"),
            (&["queue", "again", id], "message_not_found"),
            (&["queue", "skip", id], "message_not_found"),
            (&["allow", id], "permission_not_found"),
            (&["deny", id], "permission_not_found"),
            (&["answer", id, "1"], "permission_not_found"),
        ] {
            let shown: String = format!("{arguments:?}").chars().take(80).collect();
            let error = home.rejection(arguments);
            assert_eq!(error["code"], code, "{shown}");
            assert!(text_of(&error, "message").len() < 500, "{shown}: the message is too long");
        }
        let run = home.areyouj(&["show", id]);
        assert!(!run.stderr.contains(|c: char| c.is_control() && c != '\n'), "{:?}", run.stderr);
    }
    bystander.assert_responsive(&home);
}

#[test]
fn an_empty_id_is_rejected_because_it_is_a_prefix_of_every_id() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    for arguments in [&["terminate", ""][..], &["send", "", "text"], &["restart", ""], &["rm", ""]] {
        let run = home.areyouj(&[arguments, &["--json"]].concat());
        assert_eq!(run.status, 2, "{run}");
        assert_eq!(home.expect(run.error())["code"], "invalid_params", "{run}");
    }
    assert_eq!(home.error_code(&["queue", "rm", ""]), "message_not_found");
    assert_eq!(home.error_code(&["allow", ""]), "permission_not_found");
    bystander.assert_responsive(&home);
}

#[test]
fn an_abbreviated_id_must_match_only_one_session() {
    let home = TestHome::with_stand_in("obedient").with("AREYOUJ_MAX_ACTIVE", "40");
    let directory = home.project("project");
    let mut letters = Vec::new();
    for _ in 0..MORE_THAN_LETTERS {
        let letter = home.new_session(&directory, &[])[..1].to_owned();
        if letters.contains(&letter) {
            assert_eq!(home.error_code(&["show", &letter]), "ambiguous_id");
            return;
        }
        assert_eq!(&home.session(&letter)["id"].as_str().unwrap()[..1], letter);
        letters.push(letter);
    }
    panic!("{MORE_THAN_LETTERS} ids with different first letters: {letters:?}");
}
