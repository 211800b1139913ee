//! Tests of routing: an editor with AreYouJ's own methods, one without them, and daemons that exit and restart.

use serde_json::{Value, json};

use super::super::daemon_connection::{
    LOST_BEFORE_INITIALIZE_MAX, MAX_REQUESTS, RECONNECT_PAUSE, RECONNECT_PAUSE_MAX, USEFUL_CONNECTION, away,
};
use super::*;

mod plain_editor;

fn router() -> Router {
    Router::new(BTreeMap::from([("HOME".to_owned(), "/home/ada".to_owned())]))
}

fn editor(message: impl std::fmt::Display) -> Event {
    Event::Editor(message.to_string().into_bytes())
}

fn daemon(message: impl std::fmt::Display) -> Event {
    Event::Daemon(message.to_string().into_bytes())
}

fn request(id: u32, method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": {} })
}

fn notify(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn answer(id: impl Into<Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "result": {} })
}

/// The messages in the actions, with their destinations; other actions by name.
fn messages(actions: Vec<Action>) -> Vec<(&'static str, Value)> {
    let read = |body: Vec<u8>| serde_json::from_slice(&body).unwrap();
    actions
        .into_iter()
        .map(|action| match action {
            Action::ToEditor(body) => ("editor", read(body)),
            Action::ToDaemon(body) => ("daemon", read(body)),
            Action::Disconnect => ("disconnect", Value::Null),
            Action::Connect(_) => ("connect", Value::Null),
            Action::Exit(code) => ("exit", json!(code)),
        })
        .collect()
}

/// The only message in the actions.
fn only(actions: Vec<Action>) -> (&'static str, Value) {
    let mut messages = messages(actions);
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

fn hello(capabilities: &Value) -> Value {
    let params = json!({
        "clientInfo": { "name": "Ed" },
        "workspaceFolders": [{ "uri": "file:///a", "name": "a" }],
        "capabilities": capabilities,
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

fn native() -> Value {
    hello(&json!({ "experimental": { "areyouj": {} } }))
}

/// The daemon's response to `initialize`.
fn welcome(initialize: &Value) -> Value {
    let capabilities = json!({ "experimental": { "areyouj": { "protocolVersion": 1 } } });
    let result = json!({ "capabilities": capabilities, "serverInfo": { "name": "areyouj", "version": "9" } });
    json!({ "jsonrpc": "2.0", "id": initialize["id"], "result": result })
}

/// Connects to a daemon, which accepts `initialize`. Returns the following messages.
fn connect(router: &mut Router) -> Vec<(&'static str, Value)> {
    let (to, initialize) = only(router.step(Event::Connected));
    assert_eq!((to, &initialize["method"]), ("daemon", &json!("initialize")));
    messages(router.step(daemon(welcome(&initialize))))
}

fn connected() -> Router {
    let mut router = router();
    assert_eq!(messages(router.step(editor(native()))), [("connect", Value::Null)]);
    let (to, initialized) = connect(&mut router).remove(0);
    assert_eq!((to, &initialized["id"]), ("editor", &json!(1)));
    let result = &initialized["result"];
    assert_eq!(result["serverInfo"], json!({ "name": "areyouj", "version": "9" }));
    assert_eq!(result["capabilities"]["experimental"]["areyouj"]["protocolVersion"], 1);
    assert_eq!(result["capabilities"]["textDocumentSync"], json!({ "openClose": true, "change": 2 }));
    router
}

fn range() -> Value {
    json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 1, "character": 0 } })
}

fn folders(added: &str) -> Value {
    let event = json!({ "added": [{ "uri": format!("file:///{added}"), "name": added }], "removed": [] });
    notify("workspace/didChangeWorkspaceFolders", &json!({ "event": event }))
}

#[test]
fn messages_are_forwarded_in_both_directions() {
    let mut router = connected();
    let list = request(2, "areyouj/session/list");
    assert_eq!(messages(router.step(editor(list.clone()))), [("daemon", list)]);
    let push = notify("areyouj/sessionCreated", &json!({}));
    assert_eq!(messages(router.step(daemon(push.clone()))), [("editor", push)]);
    assert_eq!(messages(router.step(daemon(answer(2)))), [("editor", answer(2))]);
    assert_eq!(messages(router.step(daemon(answer(2)))), [], "the request was already answered");
}

#[test]
fn messages_are_forwarded_unchanged() {
    let mut router = connected();
    let list = " {\"id\" : 2 ,\"method\":\"areyouj\\/session/list\",\"later\":1e400}";
    let passed = |body: &str| body.as_bytes().to_vec();
    assert_eq!(router.step(editor(list)), [Action::ToDaemon(passed(list))]);
    let answer = "{\"id\":2, \"result\":{\"a\":1,\"a\":1.0e0}}";
    assert_eq!(router.step(daemon(answer)), [Action::ToEditor(passed(answer))]);
}

#[test]
fn a_session_is_created_with_the_editors_environment_by_default() {
    let mut router = connected();
    let environment = |messages: (&str, Value)| messages.1["params"]["environment"].clone();
    let plain = request(2, "areyouj/session/create");
    assert_eq!(environment(only(router.step(editor(plain)))), json!({ "HOME": "/home/ada" }));
    let mut named = request(3, "areyouj/session/create");
    named["params"]["environment"] = json!({ "A": "1" });
    assert_eq!(environment(only(router.step(editor(named)))), json!({ "A": "1" }));
    let mut command = request(4, "workspace/executeCommand");
    command["params"] = json!({ "command": "areyouj.lsp.newSession", "arguments": [{}] });
    assert_eq!(environment(only(router.step(editor(command)))), json!({ "HOME": "/home/ada" }));
}

#[test]
fn a_lost_daemon_is_reported_once_and_its_successor_receives_the_same_initialize() {
    let mut router = connected();
    router.step(editor(request(2, "areyouj/session/list")));
    let (to, again) = only(router.step(editor(folders("b"))));
    assert_eq!((to, &again["method"]), ("daemon", &json!("initialize")));
    assert_eq!(messages(router.step(daemon(welcome(&again)))), []);

    let lost = messages(router.step(Event::DaemonGone { lived: USEFUL_CONNECTION }));
    assert_eq!(lost.len(), 3, "{lost:?}");
    assert_eq!((&lost[0].1["id"], &lost[0].1["error"]["data"]["retryable"]), (&json!(2), &json!(true)));
    assert_eq!(lost[1].1["params"], json!({ "state": "reconnecting" }));
    assert_eq!(lost[2].0, "connect");

    assert_eq!(messages(router.step(editor(request(3, "areyouj/session/list")))), [], "it waits");
    let (_, initialize) = only(router.step(Event::Connected));
    assert_eq!(initialize["params"], again["params"]);
    let named = json!([{ "uri": "file:///a", "name": "a" }, { "uri": "file:///b", "name": "b" }]);
    let initialized = json!({ "clientInfo": { "name": "Ed" }, "workspaceFolders": named });
    assert_eq!(initialize["params"], initialized);
    let back = messages(router.step(daemon(welcome(&initialize))));
    let heads: Vec<_> = back.iter().map(|(to, message)| (*to, message["method"].as_str().unwrap())).collect();
    assert_eq!(heads, [("editor", "areyouj/connectionChanged"), ("daemon", "areyouj/session/list")]);
    assert_eq!(messages(router.step(daemon(answer(3)))), [("editor", answer(3))]);
}

#[test]
fn a_daemon_that_keeps_crashing_is_restarted_with_back_off_and_then_reported() {
    let mut router = router();
    router.step(editor(native()));
    let mut pauses = Vec::new();
    for _ in 0..LOST_BEFORE_INITIALIZE_MAX {
        router.step(Event::Connected);
        match router.step(Event::DaemonGone { lived: Duration::ZERO }).as_slice() {
            [Action::Connect(pause)] => pauses.push(pause.as_millis()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pauses, [50, 100, 200]);
    router.step(Event::Connected);
    let (_, rejected) = only(router.step(Event::DaemonGone { lived: Duration::ZERO }));
    assert_eq!(rejected["id"], 1);
    assert_eq!(rejected["error"]["data"]["code"], "daemon_start_failed");

    let mut router = connected();
    let mut pause = |lived| match router.step(Event::DaemonGone { lived }).pop() {
        Some(Action::Connect(pause)) => pause,
        other => panic!("{other:?}"),
    };
    let longest = (0..20).map(|_| pause(Duration::ZERO)).max();
    assert_eq!((longest, pause(USEFUL_CONNECTION)), (Some(RECONNECT_PAUSE_MAX), RECONNECT_PAUSE));
}

#[test]
fn a_response_matches_its_id_in_any_json_encoding() {
    let mut router = connected();
    let list = r#"{"jsonrpc":"2.0","id":"\u0061\/b","method":"areyouj/session/list"}"#;
    router.step(editor(list));
    assert_eq!(messages(router.step(daemon(answer("a/b")))), [("editor", answer("a/b"))]);
}

#[test]
fn a_folder_added_during_initialize_is_sent_afterwards() {
    let mut router = connected();
    router.step(Event::DaemonGone { lived: USEFUL_CONNECTION });
    let (_, first) = only(router.step(Event::Connected));
    router.step(editor(request(2, "areyouj/session/list")));
    let (_, second) = only(router.step(editor(folders("b"))));
    assert_eq!(second["params"]["workspaceFolders"][1]["name"], "b");
    assert_eq!(messages(router.step(daemon(welcome(&first)))), []);
    let back = messages(router.step(daemon(welcome(&second))));
    assert_eq!(back.last().map(|(to, message)| (*to, &message["id"])), Some(("daemon", &json!(2))));
}

#[test]
fn messages_that_the_daemon_does_not_need_are_not_forwarded() {
    let mut router = connected();
    for method in ["textDocument/didSave", "initialized", "$/setTrace", "areyouj/later"] {
        assert_eq!(messages(router.step(editor(notify(method, &json!({}))))), [], "{method}");
    }
    assert_eq!(messages(router.step(editor(answer(77)))), [], "there was no such request");
    assert_eq!(
        messages(router.step(daemon(request(1, "areyouj/later")))),
        [],
        "the daemon sends no requests"
    );
    let (to, rejected) = only(router.step(editor(request(2, "other/method"))));
    assert_eq!((to, &rejected["error"]["code"]), ("editor", &json!(rpc::METHOD_NOT_FOUND)));
}

#[test]
fn held_requests_are_rejected_when_no_daemon_can_be_reached_and_connecting_is_retried() {
    let mut router = connected();
    router.step(Event::DaemonGone { lived: USEFUL_CONNECTION });
    router.step(editor(request(2, "areyouj/session/list")));
    let failure = Failure::new(ErrorCode::StorageFull, "The disk is full.", "Free some space.");
    let rejected = messages(router.step(Event::Unreachable(failure)));
    assert_eq!(rejected[0].1["error"]["data"]["code"], "storage_full");
    assert_eq!(rejected[0].1["error"]["data"]["retryable"], true);
    assert_eq!(rejected[1].1["params"]["error"]["code"], "storage_full");
    assert_eq!(rejected[2].0, "connect");
}

#[test]
fn every_error_of_the_edge_is_in_the_snapshot() {
    let mut problems = vec![crate::edge::lsp::unusable(&std::io::ErrorKind::BrokenPipe.into()), away()];
    let mut add = |actions: Vec<Action>| {
        for (_, message) in messages(actions) {
            let error = match message["method"].as_str() {
                Some(_) => &message["params"]["error"],
                None => &message["error"],
            };
            let data = if error["data"].is_object() { &error["data"] } else { error };
            if let (Some(code), Some(text)) = (data["code"].as_str(), error["message"].as_str()) {
                let code = ErrorCode::parse(code).unwrap();
                problems.push(Failure::new(code, text, data["hint"].as_str().unwrap_or_default()));
            }
        }
    };
    let mut silent = router();
    add(silent.step(editor("{")));
    add(silent.step(editor(request(1, "areyouj/session/list"))));
    let mut rejected = connected();
    add(rejected.step(editor(native())));
    for id in 2..=u32::try_from(MAX_REQUESTS).unwrap() + 2 {
        add(rejected.step(editor(request(id, "areyouj/session/list"))));
    }
    rejected.step(editor(request(1, "shutdown")));
    add(rejected.step(editor(request(1, "areyouj/session/list"))));
    let mut lost = router();
    lost.step(editor(native()));
    for _ in 0..=LOST_BEFORE_INITIALIZE_MAX {
        add(lost.step(Event::DaemonGone { lived: Duration::ZERO }));
    }
    let mut other = connected();
    other.step(Event::DaemonGone { lived: USEFUL_CONNECTION });
    let (_, initialize) = only(other.step(Event::Connected));
    let error = json!({ "code": 1, "message": "no" });
    add(other.step(daemon(json!({ "jsonrpc": "2.0", "id": initialize["id"], "error": error }))));
    other.step(editor(request(2, "areyouj/session/list")));
    add(other.step(editor(notify("$/cancelRequest", &json!({ "id": 2 })))));
    for (command, arguments) in [
        ("areyouj.lsp.fly", json!([])),
        ("areyouj.lsp.send", json!([{}])),
        ("areyouj.lsp.sendSelection", json!([{ "uri": "file:///none", "range": range() }])),
    ] {
        let mut execute = request(3, "workspace/executeCommand");
        execute["params"] = json!({ "command": command, "arguments": arguments });
        add(connected().step(editor(execute)));
    }
    crate::texts::assert_problems("problems-lsp", problems);
}

#[test]
fn a_failed_initialize_is_answered_and_can_be_retried() {
    let mut router = router();
    let (_, early) = only(router.step(editor(request(1, "areyouj/session/list"))));
    assert_eq!(early["error"]["data"]["code"], "not_initialized");
    router.step(editor(native()));
    let (_, twice) = only(router.step(editor(native())));
    assert_eq!(twice["error"]["code"], rpc::INVALID_REQUEST);
    let failure = Failure::new(ErrorCode::DaemonStartFailed, "It does not start.", "Look.");
    let (_, rejected) = only(router.step(Event::Unreachable(failure)));
    assert_eq!((&rejected["id"], &rejected["error"]["code"]), (&json!(1), &json!(rpc::REFUSED)));
    assert_eq!(rejected["error"]["data"], json!({ "code": "daemon_start_failed", "hint": "Look." }));
    assert_eq!(messages(router.step(editor(native()))), [("connect", Value::Null)]);
    let (_, initialize) = only(router.step(Event::Connected));
    let error = json!({ "code": rpc::REFUSED, "message": "No.", "data": { "code": "daemon_foreign" } });
    let refusal = json!({ "jsonrpc": "2.0", "id": initialize["id"], "error": error });
    let rejected = messages(router.step(daemon(refusal)));
    assert_eq!(rejected.iter().map(|(to, _)| *to).collect::<Vec<_>>(), ["disconnect", "editor"]);
    assert_eq!(rejected[1].1["error"]["data"]["code"], "daemon_foreign");
    assert_eq!(messages(router.step(editor(native()))), [("connect", Value::Null)]);
    assert_eq!(connect(&mut router).len(), 1);
}

#[test]
fn exit_succeeds_only_after_shutdown() {
    let mut router = connected();
    let exit = json!({ "jsonrpc": "2.0", "method": "exit" });
    assert_eq!(messages(router.step(editor(exit.clone()))), [("exit", json!(1))]);
    let shutdown = messages(router.step(editor(request(2, "shutdown"))));
    assert_eq!(shutdown, [("editor", json!({ "jsonrpc": "2.0", "id": 2, "result": null }))]);
    let (_, late) = only(router.step(editor(request(3, "areyouj/session/list"))));
    assert_eq!(late["error"]["code"], rpc::INVALID_REQUEST);
    assert_eq!(messages(router.step(editor(exit))), [("exit", json!(0))]);
}

#[test]
fn a_cancellation_is_forwarded_or_removes_the_held_request() {
    let mut router = connected();
    let cancel = |id: Value| notify("$/cancelRequest", &json!({ "id": id }));
    router.step(editor(request(2, "areyouj/transcript/read")));
    let passed = [("daemon", cancel(json!(2)))];
    assert_eq!(messages(router.step(editor(cancel(json!(2))))), passed);
    assert_eq!(messages(router.step(daemon(answer(2)))), [("editor", answer(2))], "its answer was ready");
    assert_eq!(messages(router.step(editor(cancel(json!(2))))), [], "nothing is left to cancel");

    let action = json!({
        "textDocument": { "uri": "file:///a.rs" },
        "range": range(),
        "context": { "diagnostics": [] },
    });
    let mut asked = request(3, "textDocument/codeAction");
    asked["params"] = action;
    let (_, list) = only(router.step(editor(asked)));
    let (_, cancelled) = only(router.step(editor(cancel(json!(3)))));
    assert_eq!((&cancelled["id"], &cancelled["error"]["code"]), (&json!(3), &json!(rpc::REQUEST_CANCELLED)));
    assert_eq!(messages(router.step(daemon(answer(list["id"].clone())))), []);

    router.step(Event::DaemonGone { lived: USEFUL_CONNECTION });
    router.step(editor(request(4, "areyouj/session/create")));
    let (_, cancelled) = only(router.step(editor(cancel(json!(4)))));
    assert_eq!((&cancelled["id"], &cancelled["error"]["code"]), (&json!(4), &json!(rpc::REQUEST_CANCELLED)));
    assert_eq!(cancelled["error"]["data"]["code"], "request_cancelled");
    assert_eq!(connect(&mut router).len(), 1, "only the change of the connection");
}

#[test]
fn invalid_messages_and_too_many_requests_are_rejected() {
    let mut router = connected();
    let (_, rejected) = only(router.step(Event::Editor(b"{".to_vec())));
    assert_eq!((&rejected["id"], &rejected["error"]["code"]), (&Value::Null, &json!(rpc::PARSE_ERROR)));
    let (_, rejected) = only(router.step(editor(r#"{"id":1.5,"method":"textDocument/hover"}"#)));
    assert_eq!((&rejected["id"], &rejected["error"]["code"]), (&json!(1.5), &json!(rpc::INVALID_REQUEST)));
    assert_eq!(messages(router.step(Event::Daemon(b"{".to_vec()))), []);
    for id in 0..MAX_REQUESTS {
        router.step(editor(request(u32::try_from(id).unwrap(), "areyouj/session/list")));
    }
    for method in ["areyouj/session/list", "textDocument/codeAction"] {
        let mut asked = request(9_999, method);
        asked["params"] = json!({
            "textDocument": { "uri": "file:///a.rs" },
            "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } },
            "context": { "diagnostics": [] },
        });
        let (to, rejected) = only(router.step(editor(asked)));
        assert_eq!((to, &rejected["error"]["data"]["retryable"]), ("editor", &json!(true)), "{method}");
    }
}

#[test]
fn no_notification_overtakes_a_response() {
    let mut router = router();
    router.step(editor(native()));
    let (_, initialize) = only(router.step(Event::Connected));
    let mut order = messages(router.step(daemon(welcome(&initialize))));
    for id in 2..100 {
        router.step(editor(request(id, "areyouj/session/list")));
        order.extend(messages(router.step(daemon(answer(id)))));
        order
            .extend(messages(router.step(daemon(notify("areyouj/sessionCreated", &json!({ "after": id }))))));
    }
    let numbers: Vec<_> = order
        .iter()
        .map(|(_, message)| message["id"].as_u64().or_else(|| message["params"]["after"].as_u64()).unwrap())
        .collect();
    let expected: Vec<u64> = std::iter::once(1).chain((2..100).flat_map(|id| [id, id])).collect();
    assert_eq!(numbers, expected);
}
