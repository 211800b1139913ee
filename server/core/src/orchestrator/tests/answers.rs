//! Answers to permission requests: only for what was displayed, and only what was offered.

use serde_json::json;

use super::*;

/// A session with an open request of Bash for this command, with Claude's suggestions for "always".
fn asking(command: &str) -> (Bench, SessionId) {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let ask = PermissionRequest {
        request_id: "r1".to_owned(),
        kind: PermissionKind::Tool,
        tool: "Bash".to_owned(),
        input: ToolInput::parse(&json!({ "command": command }).to_string()).unwrap(),
        title: command.to_owned(),
        suggestions: vec![
            json!({"type": "setMode", "mode": "acceptEdits", "destination": "session"}),
            json!({"type": "addRules", "behavior": "allow", "destination": "localSettings",
                "rules": [{"toolName": "Bash", "ruleContent": "ls"}]}),
        ],
    };
    bench.facts(session, vec![Fact::PermissionRequested(ask)]);
    (bench, session)
}

/// The message of the entry about the end of the request.
fn ended(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::Persist(Change::Entry { entry, .. }) => match &entry.body {
            EntryBody::PermissionEnd { message, .. } => message.as_deref(),
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn an_answer_for_what_was_displayed_differently_answers_nothing() {
    let (mut bench, session) = asking("ls");
    let id = format!("{session}-1");
    for digest in ["", "0f", &"0".repeat(64)] {
        for answer in [Answer::Allow, Answer::Deny { message: None }] {
            let of = bench.request(SeenPermission { id: id.clone(), digest: digest.to_owned() });
            let (refused, effects) = bench.command(Operation::Answer(of, answer));
            assert_eq!(code(&refused), "digest_mismatch");
            assert_eq!(sent(&effects), Vec::<&Input>::new());
        }
    }
    assert_eq!(code(&bench.answer(&id, Answer::Allow).0), "ok");
}

#[test]
fn always_says_what_it_allowed_and_where_it_is_stored() {
    let (mut bench, session) = asking("ls");
    let (answer, effects) = bench.answer(&format!("{session}-1"), Answer::AllowAlways { suggestions: None });
    answer.unwrap();
    let stored = "Bash(ls), stored in the local settings of this project (.claude/settings.local.json)";
    assert_eq!(ended(&effects), Some(stored));
    let row = bench.state.sessions[&session].permissions().get(1).unwrap();
    assert_eq!(row.granted(), [stored]);
}

#[test]
fn a_permission_mode_is_granted_only_if_it_was_chosen() {
    let (mut bench, session) = asking("ls");
    let chosen = Answer::AllowAlways { suggestions: Some(vec![0]) };
    let (answer, effects) = bench.answer(&format!("{session}-1"), chosen);
    answer.unwrap();
    assert_eq!(ended(&effects), Some("the permission mode acceptEdits, for this session only"));
}

#[test]
fn a_request_that_would_control_areyouj_is_allowed_once_at_most() {
    let (mut bench, session) = asking("sh -c 'areyouj allow K7M2Q9XD-1'");
    let id = format!("{session}-1");
    for suggestions in [None, Some(vec![0]), Some(vec![1])] {
        let (refused, _) = bench.answer(&id, Answer::AllowAlways { suggestions });
        assert_eq!(code(&refused), "always_not_offered");
    }
    assert_eq!(code(&bench.answer(&id, Answer::Allow).0), "ok");
}
