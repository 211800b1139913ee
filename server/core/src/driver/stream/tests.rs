//! Real transcripts of Claude Code 2.1.330 against a scripted API: `>> ` marks input, `<< ` marks output.

use super::*;
use crate::orchestrator::{
    Activity, Driver, EntryBody, Fact, HOST_KEY_BYTES, HostKey, MessageId, NoticeLevel, PermissionKind,
    SessionId, SessionSpec, Stage, TurnEnd, Written,
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

const TURNS: &str = include_str!("../fixtures/turns.jsonl");
const INTERRUPT: &str = include_str!("../fixtures/interrupt.jsonl");
const KILLED: &str = include_str!("../fixtures/killed.jsonl");
const PERMISSION_WITHDRAWN: &str = include_str!("../fixtures/permission_withdrawn.jsonl");
const STEER: &str = include_str!("../fixtures/steer.jsonl");
const DENIED: &str = include_str!("../fixtures/denied.jsonl");
const IMAGE: &str = include_str!("../fixtures/image.jsonl");
const SUBAGENT: &str = include_str!("../fixtures/subagent.jsonl");
const COMMANDS: &str = include_str!("../fixtures/commands.jsonl");
const PLAN: &str = include_str!("../fixtures/plan.jsonl");
const API_ERROR: &str = include_str!("../fixtures/api_error.jsonl");
const RETRIES: &str = include_str!("../fixtures/retries.jsonl");

const ALL: [&str; 12] = [
    TURNS,
    INTERRUPT,
    KILLED,
    PERMISSION_WITHDRAWN,
    STEER,
    DENIED,
    IMAGE,
    SUBAGENT,
    COMMANDS,
    PLAN,
    API_ERROR,
    RETRIES,
];

fn said(transcript: &str) -> impl Iterator<Item = &str> {
    transcript.lines().filter_map(|line| line.strip_prefix("<< "))
}

fn facts(transcript: &str) -> Vec<Fact> {
    said(transcript).flat_map(|line| decode(line.as_bytes())).collect()
}

fn decode_value(value: &serde_json::Value) -> Vec<Fact> {
    decode(value.to_string().as_bytes())
}

/// The messages that were sent, in order.
fn sent(transcript: &str) -> Vec<MessageId> {
    let lines = transcript.lines().filter_map(|line| line.strip_prefix(">> "));
    lines
        .map(|line| decode_input(line.as_bytes()))
        .filter_map(|written| match written {
            Written::Message(id) => Some(id),
            _ => None,
        })
        .collect()
}

fn entries(transcript: &str) -> Vec<EntryBody> {
    let entry = |fact| match fact {
        Fact::Entry(entry) => Some(entry),
        _ => None,
    };
    facts(transcript).into_iter().filter_map(entry).collect()
}

fn turn_ends(transcript: &str) -> Vec<TurnEnd> {
    let end = |fact| match fact {
        Fact::TurnEnded(end) => Some(end),
        _ => None,
    };
    facts(transcript).into_iter().filter_map(end).collect()
}

fn notices(transcript: &str) -> Vec<String> {
    let notice = |entry| match entry {
        EntryBody::Notice { text, .. } => Some(text),
        _ => None,
    };
    entries(transcript).into_iter().filter_map(notice).collect()
}

/// The first turn of the transcript, without the facts that other tests check.
fn first_turn(transcript: &str) -> Vec<Fact> {
    let mut turn = Vec::new();
    let facts = facts(transcript);
    let ready = facts.iter().position(|fact| matches!(fact, Fact::Ready { .. })).map_or(0, |at| at + 1);
    for fact in facts.into_iter().skip(ready) {
        let last = fact == Fact::Activity(Activity::Idle);
        if !matches!(fact, Fact::Delta { .. } | Fact::TurnEnded(_) | Fact::Conversation(_)) {
            turn.push(fact);
        }
        if last {
            break;
        }
    }
    turn
}

fn text(text: &str) -> EntryBody {
    EntryBody::Text { text: text.to_owned(), parent_tool_use_id: None }
}

fn user(message: MessageId, text: &str) -> EntryBody {
    EntryBody::User { message_id: Some(message), text: text.to_owned() }
}

#[test]
fn the_arguments_name_a_new_conversation_or_resume_one() {
    let mut order = LaunchOrder {
        allowed: None,
        session: "K7M2Q9XD".parse::<SessionId>().unwrap(),
        launch: 1,
        spec: SessionSpec {
            directory: "/project".to_owned(),
            driver: Driver::Stream,
            model: None,
            permission_mode: None,
        },
        claude_session: Uuid::from_u128(1),
        resume: false,
        position: Default::default(),
        key: HostKey([0; HOST_KEY_BYTES]),
    };
    let id = order.claude_session.to_string();
    let first = arguments(&order);
    assert_eq!(first[..5], ["-p", "--input-format", "stream-json", "--output-format", "stream-json"]);
    assert_eq!(first[first.len() - 2..], ["--session-id".to_owned(), id.clone()]);
    order.resume = true;
    order.spec.model = Some("opus".to_owned());
    order.spec.permission_mode = Some("plan".to_owned());
    let again = arguments(&order);
    let end = ["--resume", &id, "--model", "opus", "--permission-mode", "plan"];
    assert_eq!(again[again.len() - 6..], end);
}

#[test]
fn a_turn_is_reported_from_receipt_to_idle() {
    let message = sent(TURNS)[0];
    let stage = |stage| Fact::Lifecycle { message, stage };
    let described = Fact::Described {
        model: Some("claude-opus-5-5".to_owned()),
        permission_mode: Some("default".to_owned()),
    };
    let expected = [
        Fact::Activity(Activity::Running),
        stage(Stage::Queued),
        stage(Stage::Started),
        described,
        Fact::Entry(user(message, "hello")),
        Fact::Entry(text("Hello from script: hello ")),
        Fact::ContextUsed(113),
        stage(Stage::Completed),
        Fact::Activity(Activity::Idle),
    ];
    assert_eq!(first_turn(TURNS), expected);
    let end = turn_ends(TURNS).remove(0);
    assert!((end.cost_total - 0.000_468).abs() < 1e-9);
    let expected = TurnEnd {
        messages: vec![message],
        ok: true,
        outcome: "success".to_owned(),
        error: None,
        api_status: None,
        cost_total: end.cost_total,
        context_max: Some(1_000_000),
        duration_ms: 274,
    };
    assert_eq!(end, expected);
}

#[test]
fn the_answer_to_initialize_means_ready() {
    assert!(facts(TURNS).contains(&Fact::Ready { pending: Vec::new() }));
}

#[test]
fn a_second_initialize_lists_the_open_permission_requests() {
    let facts = facts(PERMISSION_WITHDRAWN);
    let asked = facts.iter().find_map(|fact| match fact {
        Fact::PermissionRequested(ask) => Some(ask.clone()),
        _ => None,
    });
    let pending = facts.iter().rev().find_map(|fact| match fact {
        Fact::Ready { pending } => Some(pending.clone()),
        _ => None,
    });
    assert_eq!(pending, asked.map(|ask| vec![ask]));
}

#[test]
fn a_refused_control_request_is_reported() {
    let expected = Fact::ControlFailed {
        request_id: "areyouj-9".to_owned(),
        message: "Unsupported control request subtype: no_such_thing".to_owned(),
    };
    assert!(facts(COMMANDS).contains(&expected));
    let refused = json!({"type": "control_response",
        "response": {"subtype": "error", "request_id": "areyouj-init-1", "error": "no"}});
    let expected = Fact::ControlFailed { request_id: "areyouj-init-1".to_owned(), message: "no".to_owned() };
    assert_eq!(decode_value(&refused), [expected]);
}

#[test]
fn words_and_thoughts_arrive_in_pieces() {
    let said = |thinking: bool| -> String {
        let piece = |fact| match fact {
            Fact::Delta { thinking: of, text } if of == thinking => Some(text),
            _ => None,
        };
        facts(TURNS).into_iter().filter_map(piece).collect()
    };
    assert!(said(false).starts_with("Hello from script: hello I run it. Hello"));
    assert_eq!(said(true), "Let me think");
    assert!(entries(TURNS).contains(&EntryBody::Thinking { text: "Let me think".to_owned() }));
}

#[test]
fn pieces_are_found_whatever_the_order_of_members() {
    let line = br#"{"parent_tool_use_id":null,"event":{"delta":{"text":"a\ud83d","type":"text_delta"},"type":"content_block_delta"},"type":"stream_event"}"#;
    assert_eq!(decode(line), [Fact::Delta { thinking: false, text: "a\u{fffd}".to_owned() }]);
}

#[test]
fn a_tool_that_asks_is_a_permission_request_a_call_and_a_result() {
    let call = EntryBody::ToolCall {
        tool_use_id: "toolu_1".to_owned(),
        tool: "Bash".to_owned(),
        input: json!({"command": "touch made.txt", "description": "run it"}),
        parent_tool_use_id: None,
    };
    let result = EntryBody::ToolResult {
        tool_use_id: "toolu_1".to_owned(),
        is_error: false,
        text: "(Bash completed with no output)".to_owned(),
        truncated: false,
    };
    let entries = entries(TURNS);
    assert!(entries.contains(&call) && entries.contains(&result));
    let ask = facts(TURNS).into_iter().find_map(|fact| match fact {
        Fact::PermissionRequested(ask) => Some(ask),
        _ => None,
    });
    let ask = ask.unwrap();
    assert_eq!(
        (ask.kind, ask.tool.as_str(), ask.title.as_str()),
        (PermissionKind::Tool, "Bash", "touch made.txt")
    );
    assert_eq!(ask.suggestions.len(), 3);
    assert!(facts(TURNS).contains(&Fact::Activity(Activity::RequiresAction)));
}

#[test]
fn echoes_of_our_own_answers_say_nothing() {
    let echoes = said(TURNS).filter(|line| line.contains("control_response") && line.contains("behavior"));
    assert_eq!(echoes.inspect(|line| assert_eq!(decode(line.as_bytes()), [])).count(), 3);
}

#[test]
fn our_answers_are_recognised_in_the_journal() {
    let answers = TURNS.lines().filter_map(|line| line.strip_prefix(">> "));
    let answered = answers.filter(|line| matches!(decode_input(line.as_bytes()), Written::Answer { .. }));
    assert_eq!(answered.count(), 3);
}

#[test]
fn questions_and_plans_are_permission_requests_of_their_own_kind() {
    let kinds = |transcript| -> Vec<(PermissionKind, String)> {
        let ask = |fact| match fact {
            Fact::PermissionRequested(ask) => Some((ask.kind, ask.title)),
            _ => None,
        };
        facts(transcript).into_iter().filter_map(ask).collect()
    };
    assert!(kinds(TURNS).contains(&(PermissionKind::Question, "Which color?".to_owned())));
    assert_eq!(kinds(PLAN), [(PermissionKind::Plan, "Plan".to_owned())]);
}

#[test]
fn a_denied_tool_answers_with_the_denial() {
    let result = EntryBody::ToolResult {
        tool_use_id: "toolu_3".to_owned(),
        is_error: true,
        text: "The user denied this.".to_owned(),
        truncated: false,
    };
    assert!(entries(DENIED).contains(&result));
}

#[test]
fn an_interrupted_turn_ends_cancelled_and_without_diagnostics() {
    let end = turn_ends(INTERRUPT).remove(0);
    assert_eq!((end.ok, end.outcome.as_str(), end.error), (false, "error_during_execution", None));
    let turn = first_turn(INTERRUPT);
    let message = sent(INTERRUPT)[0];
    assert!(turn.contains(&Fact::ControlDone { request_id: "areyouj-2".to_owned() }));
    assert!(
        turn.ends_with(&[
            Fact::Lifecycle { message, stage: Stage::Cancelled },
            Fact::Activity(Activity::Idle),
        ])
    );
    assert_eq!(notices(INTERRUPT), ["Request interrupted by user"]);
}

#[test]
fn an_interrupt_withdraws_an_open_permission_request() {
    let facts = facts(PERMISSION_WITHDRAWN);
    let place = |wanted: &dyn Fn(&Fact) -> bool| facts.iter().position(wanted).unwrap();
    let asked = place(&|fact| matches!(fact, Fact::PermissionRequested(_)));
    let withdrawn = place(&|fact| matches!(fact, Fact::PermissionWithdrawn { .. }));
    let (Fact::PermissionRequested(ask), Fact::PermissionWithdrawn { request_id }) =
        (&facts[asked], &facts[withdrawn])
    else {
        panic!()
    };
    assert!(asked < withdrawn);
    assert_eq!(&ask.request_id, request_id);
    assert_eq!(notices(PERMISSION_WITHDRAWN), ["Request interrupted by user for tool use"]);
}

#[test]
fn a_steering_message_runs_inside_the_turn() {
    let (first, steering) = (sent(STEER)[0], sent(STEER)[1]);
    let facts = facts(STEER);
    let done =
        facts.iter().position(|fact| *fact == Fact::Lifecycle { message: steering, stage: Stage::Completed });
    let end = facts.iter().position(|fact| matches!(fact, Fact::TurnEnded(_)));
    assert!(done.unwrap() < end.unwrap());
    assert!(entries(STEER).contains(&user(steering, "steered in")));
    assert_eq!(turn_ends(STEER)[0].messages, [first, steering]);
}

#[test]
fn an_image_is_named_in_a_result() {
    let result = entries(IMAGE).into_iter().find_map(|entry| match entry {
        EntryBody::ToolResult { text, .. } => Some(text),
        _ => None,
    });
    assert_eq!(result.as_deref(), Some("[image]"));
}

#[test]
fn a_long_result_is_cut_between_characters() {
    let content = format!("x{}", "é".repeat(TOOL_RESULT_BYTES / 2));
    let facts = decode_value(&json!({"type": "user", "message": {"role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": content}]}]}}));
    let [Fact::Entry(EntryBody::ToolResult { text, truncated: true, .. })] = facts.as_slice() else {
        panic!()
    };
    assert_eq!(text.len(), TOOL_RESULT_BYTES - 1);
}

#[test]
fn the_text_of_a_subagent_names_its_tool_call() {
    let words = EntryBody::Text {
        text: "Hello from script: hello sub ".to_owned(),
        parent_tool_use_id: Some("toolu_7".to_owned()),
    };
    assert!(entries(SUBAGENT).contains(&words));
    assert_eq!(notices(SUBAGENT), ["A background task completed: Hello from script: hello sub"]);
}

#[test]
fn a_turn_that_claude_starts_itself_has_no_message() {
    let ends = turn_ends(SUBAGENT);
    assert_eq!(ends.len(), 2);
    assert!(ends[1].ok && ends[1].messages.is_empty());
}

#[test]
fn a_subagent_reports_neither_context_usage_nor_partial_output() {
    let usage = json!({"input_tokens": 5, "output_tokens": 6});
    let message = json!({"model": "m", "usage": usage, "content": [{"type": "thinking", "thinking": "hm"}]});
    assert_eq!(
        decode_value(&json!({"type": "assistant", "message": message, "parent_tool_use_id": "t"})),
        []
    );
    let event = json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}});
    assert_eq!(decode_value(&json!({"type": "stream_event", "event": event, "parent_tool_use_id": "t"})), []);
}

#[test]
fn claudes_own_commands_are_shown_as_they_were_typed() {
    let users: Vec<EntryBody> =
        entries(COMMANDS).into_iter().filter(|entry| matches!(entry, EntryBody::User { .. })).collect();
    let sent = sent(COMMANDS);
    let expected = ["/usage", "/context", "/compact", "/nosuch"];
    let expected: Vec<EntryBody> = sent.iter().zip(expected).map(|(id, text)| user(*id, text)).collect();
    assert_eq!(users, expected);
}

#[test]
fn a_command_keeps_its_arguments_and_other_texts_their_tags() {
    let id = Uuid::from_u128(9);
    let replayed = |text: &str| {
        let message = json!({"role": "user", "content": text});
        decode_value(&json!({"type": "user", "message": message, "uuid": id, "isReplay": true}))
    };
    let command = "<command-name>/model</command-name>\n<command-message>model</command-message>\n\
                   <command-args>opus</command-args>";
    assert_eq!(replayed(command), [Fact::Entry(user(id, "/model opus"))]);
    let own = "<b>x</b> <local-command-stdout>y</local-command-stdout>";
    assert_eq!(replayed(own), [Fact::Entry(user(id, own))]);
}

#[test]
fn a_compacted_conversation_is_reported_with_its_size() {
    let texts = notices(COMMANDS);
    assert_eq!(texts, ["The conversation was compacted: 307 tokens before, 2889 after.", "Compacted"]);
    assert!(facts(COMMANDS).contains(&Fact::ContextUsed(2889)));
}

#[test]
fn an_error_of_the_api_is_text_and_the_end_of_the_turn() {
    let end = turn_ends(API_ERROR).remove(0);
    assert_eq!(end.error.as_deref(), Some("API Error: 400 scripted 400"));
    assert_eq!((end.ok, end.api_status, end.context_max), (false, Some(400), None));
    assert!(entries(API_ERROR).contains(&text("API Error: 400 scripted 400")));
    assert!(!facts(API_ERROR).iter().any(|fact| matches!(fact, Fact::ContextUsed(_))));
}

#[test]
fn each_retry_is_reported() {
    let retries: Vec<Fact> =
        facts(RETRIES).into_iter().filter(|fact| matches!(fact, Fact::Retrying { .. })).collect();
    let first = Fact::Retrying {
        attempt: 1,
        of: 10,
        status: Some(401),
        error: "authentication_failed".to_owned(),
        delay_ms: 557,
    };
    assert_eq!((retries.len(), &retries[0]), (7, &first));
}

#[test]
fn an_unknown_request_is_reported_with_its_name() {
    let dialog =
        json!({"type": "control_request", "request_id": "r1", "request": {"subtype": "request_user_dialog"}});
    let expected =
        Fact::Unsupported { request_id: "r1".to_owned(), subtype: "request_user_dialog".to_owned() };
    assert_eq!(decode_value(&dialog), [expected]);
}

#[test]
fn a_refused_or_discarded_message_is_cancelled() {
    let id = Uuid::from_u128(9);
    for state in ["refused", "discarded", "cancelled"] {
        let lifecycle = json!({"type": "command_lifecycle", "command_uuid": id, "state": state});
        assert_eq!(decode_value(&lifecycle), [Fact::Lifecycle { message: id, stage: Stage::Cancelled }]);
    }
}

#[test]
fn a_changed_permission_mode_is_reported() {
    let status = json!({"type": "system", "subtype": "status", "status": null, "permissionMode": "plan"});
    let expected = Fact::Described { model: None, permission_mode: Some("plan".to_owned()) };
    assert_eq!(decode_value(&status), [expected]);
}

#[test]
fn warnings_for_people_become_notices() {
    let notice = |value| match decode_value(&value).as_slice() {
        [Fact::Entry(EntryBody::Notice { level, text })] => (*level, text.clone()),
        facts => panic!("{facts:?}"),
    };
    let limit = |status| {
        json!({"type": "rate_limit_event",
        "rate_limit_info": {"status": status, "rateLimitType": "five_hour"}})
    };
    assert_eq!(
        notice(limit("rejected")),
        (NoticeLevel::Error, "The usage limit (five hour) is reached.".to_owned())
    );
    assert_eq!(notice(limit("allowed_warning")).0, NoticeLevel::Warning);
    assert_eq!(decode_value(&limit("allowed")), []);
    let system = |subtype: &str, more: serde_json::Value| {
        let mut value = json!({"type": "system", "subtype": subtype});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let hook =
        system("hook_response", json!({"outcome": "error", "hook_name": "Stop", "stderr": "\u{1b}[1mbad"}));
    assert_eq!(notice(hook), (NoticeLevel::Warning, "Hook Stop failed: bad".to_owned()));
    let output = system("local_command_output", json!({"content": "a\nb"}));
    assert_eq!(notice(output), (NoticeLevel::Info, "a\nb".to_owned()));
    let informational = |level| system("informational", json!({"level": level, "content": "x"}));
    assert_eq!(notice(informational("warning")).0, NoticeLevel::Warning);
    assert_eq!(decode_value(&informational("info")), []);
    let denied = system("permission_denied", json!({"tool_name": "Bash", "message": "no"}));
    assert_eq!(notice(denied).1, "Bash was denied without asking: no");
    let failed = system("status", json!({"compact_result": "failed", "compact_error": "too big"}));
    assert_eq!(notice(failed).1, "The conversation could not be compacted: too big");
    assert_eq!(notice(json!({"type": "conversation_reset"})).1, "The conversation was cleared.");
}

#[test]
fn the_conversation_is_the_one_that_claudes_own_lines_belong_to() {
    let [event, conversation] = [8, 9].map(Uuid::from_u128);
    let reset =
        decode_value(&json!({"type": "conversation_reset", "uuid": event, "new_conversation_id": event}));
    assert!(!reset.iter().any(|fact| matches!(fact, Fact::Conversation(_))), "{reset:?}");
    for line in [json!({"type": "system", "subtype": "init"}), json!({"type": "result"})] {
        let mut line = line;
        line["session_id"] = json!(conversation);
        assert_eq!(decode_value(&line).first(), Some(&Fact::Conversation(conversation)));
    }
}

#[test]
fn the_answer_to_a_request_names_what_is_in_effect() {
    let answered = |request: &str, answer: serde_json::Value| {
        decode_value(&json!({"type": "control_response",
            "response": {"subtype": "success", "request_id": request, "response": answer}}))
    };
    let mode = || Fact::Described { model: None, permission_mode: Some("plan".to_owned()) };
    let ready = Fact::Ready { pending: Vec::new() };
    assert_eq!(answered("areyouj-init-1", json!({"current_permission_mode": "plan"})), [mode(), ready]);
    let done = || Fact::ControlDone { request_id: "areyouj-mode-1".to_owned() };
    assert_eq!(answered("areyouj-mode-1", json!({"mode": "plan"})), [mode(), done()]);
    let model = Fact::Described { model: Some("claude-opus".to_owned()), permission_mode: None };
    assert_eq!(answered("areyouj-mode-1", json!({"model": "claude-opus"})), [model, done()]);
}

#[test]
fn blank_lines_carriage_returns_and_unknown_messages_are_ignored() {
    for line in ["", "  ", "\r", r#"{"type":"keep_alive"}"#, r#"{"type":"from_the_future","a":[1]}"#, "{}"] {
        assert_eq!(decode(line.as_bytes()), []);
    }
    let line = b"{\"type\":\"system\",\"subtype\":\"session_state_changed\",\"state\":\"idle\",\"new\":{}}\r";
    assert_eq!(decode(line), [Fact::Activity(Activity::Idle)]);
}

#[test]
fn a_line_that_is_not_an_object_is_garbage() {
    let garbage = |text: &str| vec![Fact::Garbage(text.to_owned())];
    assert_eq!(decode(b"\x1b[31mWarning:\x1b[0m something\x07"), garbage("Warning: something"));
    assert_eq!(decode(b"17"), garbage("17"));
    assert_eq!(decode(br#"{"type":"stream_event""#), garbage(r#"{"type":"stream_event""#));
    let long = "é".repeat(5000);
    let [Fact::Garbage(beginning)] = &decode(long.as_bytes())[..] else { panic!() };
    assert_eq!(beginning.chars().count(), 200);
}

#[test]
fn every_real_line_is_understood_as_json() {
    for transcript in ALL {
        assert!(!facts(transcript).iter().any(|fact| matches!(fact, Fact::Garbage(_))));
    }
}

fn a_real_line() -> impl Strategy<Value = &'static str> {
    let lines: Vec<&'static str> = ALL.into_iter().flat_map(str::lines).map(|line| &line[3..]).collect();
    proptest::sample::select(lines)
}

/// A value of another type in place of the `at`-th member, counted through the whole value.
fn disturb(value: &mut serde_json::Value, at: &mut usize, with: &serde_json::Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    let members: Vec<&mut serde_json::Value> = match value {
        serde_json::Value::Object(members) => members.values_mut().collect(),
        serde_json::Value::Array(elements) => elements.iter_mut().collect(),
        _ => Vec::new(),
    };
    for member in members {
        disturb(member, at, with);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        decode(&line);
        decode_input(&line);
    }

    #[test]
    fn mutated_lines_are_survived(
        line in a_real_line(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<proptest::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut line = line.as_bytes().to_vec();
        for (place, byte) in edits {
            let place = place.index(line.len());
            line[place] = byte;
        }
        if !whole {
            line.truncate(cut.index(line.len()));
        }
        decode(&line);
        decode_input(&line);
    }

    #[test]
    fn members_of_the_wrong_type_are_survived(
        line in a_real_line(),
        at in 0usize..80,
        with in prop_oneof![
            Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!(-1)), Just(json!(1e300)), Just(json!("x")),
        ],
    ) {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut at = at;
        disturb(&mut value, &mut at, &with);
        decode_value(&value);
        decode_input(value.to_string().as_bytes());
    }
}
