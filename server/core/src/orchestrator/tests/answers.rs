//! Answers to permission requests: only for what was displayed, and only what was offered.

use serde_json::{Value, json};

use super::*;

/// A request to approve a plan, about this call, with this input.
fn plan_request(call: &str, input: &Value) -> Fact {
    Fact::PermissionRequested(PermissionRequest {
        request_id: format!("about {call}"),
        kind: PermissionKind::Plan,
        tool: "ExitPlanMode".to_owned(),
        input: ToolInput::parse(&input.to_string()).unwrap(),
        title: "Plan".to_owned(),
        suggestions: vec![],
        tool_use_id: Some(call.to_owned()),
        plan: None,
    })
}

fn plan_call(call: &str, plan: &str) -> Fact {
    Fact::Entry(EntryBody::ToolCall {
        tool_use_id: call.to_owned(),
        tool: "ExitPlanMode".to_owned(),
        input: json!({ "plan": plan }),
        parent_tool_use_id: None,
    })
}

/// The texts of the section with the plan, and the title, of the session's first requests.
fn plans(bench: &Bench, session: SessionId, count: u32) -> Vec<(String, String)> {
    let text = |row: &PermissionRow| {
        let sections = row.displayed().sections;
        let plan = sections.iter().find(|section| section.label.starts_with("Plan")).unwrap();
        plan.segments.iter().map(|segment| segment.text.as_str()).collect::<String>()
    };
    let rows = (1..=count).map(|number| bench.state.permission(PermissionId { session, number }).unwrap());
    rows.map(|row| (text(row), row.request.title.clone())).collect()
}

#[test]
fn the_plan_of_a_request_is_that_of_its_own_call() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.facts(session, vec![plan_call("one", "# Harmless"), plan_call("two", "Harmful")]);
    bench.facts(session, vec![plan_request("two", &json!({})), plan_request("one", &json!({}))]);
    bench.facts(session, vec![plan_request("unknown", &json!({}))]);
    bench.facts(session, vec![plan_request("three", &json!({"plan": "its own"}))]);
    let none =
        "This request does not contain the plan. Read the plan in the transcript before you approve it.";
    let expected =
        [("Harmful", "Plan: Harmful"), ("# Harmless", "Plan: Harmless"), (none, "Plan"), ("its own", "Plan")];
    let shown = plans(&bench, session, 4);
    assert_eq!(shown.iter().map(|(plan, title)| (&plan[..], &title[..])).collect::<Vec<_>>(), expected);
}

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
        tool_use_id: None,
        plan: None,
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
