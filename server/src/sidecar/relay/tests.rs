//! What the relay does with each message, and with daemons that come and go.

use super::*;

fn relay() -> Relay {
    Relay::new(BTreeMap::from([("HOME".to_owned(), "/home/ada".to_owned())]))
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

fn answer(id: impl Into<Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "result": {} })
}

/// The messages among the actions, with where they go; other actions by name.
fn told(actions: Vec<Action>) -> Vec<(&'static str, Value)> {
    let read = |body: Vec<u8>| serde_json::from_slice(&body).unwrap();
    actions
        .into_iter()
        .map(|action| match action {
            Action::ToEditor(body) => ("editor", read(body)),
            Action::ToDaemon(body) => ("daemon", read(body)),
            Action::HangUp => ("hang up", Value::Null),
            Action::Connect(_) => ("connect", Value::Null),
            Action::Exit(code) => ("exit", json!(code)),
        })
        .collect()
}

fn hello() -> Value {
    let folders = json!([{ "uri": "file:///a", "name": "a" }]);
    let params =
        json!({ "workspaceFolders": folders, "capabilities": { "experimental": { "areyouj": {} } } });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

fn connected() -> Relay {
    let mut relay = relay();
    assert_eq!(told(relay.step(editor(hello()))), [("connect", Value::Null)]);
    assert_eq!(told(relay.step(Event::Connected)), [("daemon", hello())]);
    assert_eq!(told(relay.step(daemon(answer(1)))), [("editor", answer(1))]);
    relay
}

#[test]
fn messages_pass_in_both_directions() {
    let mut relay = connected();
    let list = request(2, "areyouj/session/list");
    assert_eq!(told(relay.step(editor(list.clone()))), [("daemon", list)]);
    let push = json!({ "jsonrpc": "2.0", "method": "areyouj/sessionCreated", "params": {} });
    assert_eq!(told(relay.step(daemon(push.clone()))), [("editor", push)]);
    assert_eq!(told(relay.step(daemon(answer(2)))), [("editor", answer(2))]);
    assert_eq!(told(relay.step(daemon(answer(2)))), [], "nobody waits for it any more");
}

#[test]
fn a_session_is_created_with_the_editors_environment_unless_it_names_one() {
    let mut relay = connected();
    let environment = |told: Vec<(&str, Value)>| told[0].1["params"]["environment"].clone();
    let plain = request(2, "areyouj/session/create");
    assert_eq!(environment(told(relay.step(editor(plain)))), json!({ "HOME": "/home/ada" }));
    let mut named = request(3, "areyouj/session/create");
    named["params"]["environment"] = json!({ "A": "1" });
    assert_eq!(environment(told(relay.step(editor(named)))), json!({ "A": "1" }));
}

#[test]
fn a_lost_daemon_is_told_once_and_its_successor_gets_the_same_introduction() {
    let mut relay = connected();
    relay.step(editor(request(2, "areyouj/session/list")));
    let event = json!({ "added": [{ "uri": "file:///b", "name": "b" }], "removed": [] });
    let folders = json!({ "jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders", "params": { "event": event } });
    assert_eq!(told(relay.step(editor(folders.clone()))), [("daemon", folders)]);

    let lost = told(relay.step(Event::DaemonGone { lived: SOUND }));
    assert_eq!(lost.len(), 3, "{lost:?}");
    assert_eq!((&lost[0].1["id"], &lost[0].1["error"]["data"]["retryable"]), (&json!(2), &json!(true)));
    assert_eq!(lost[1].1["params"], json!({ "state": "reconnecting" }));
    assert_eq!(lost[2].0, "connect");

    assert_eq!(told(relay.step(editor(request(3, "areyouj/session/list")))), [], "it waits");
    let introduction = told(relay.step(Event::Connected));
    assert_eq!(introduction[0].1["id"], INTRODUCTION);
    assert_eq!(introduction[0].1["params"]["workspaceFolders"].as_array().unwrap().len(), 2);
    let back = told(relay.step(daemon(answer(INTRODUCTION))));
    let heads: Vec<_> = back.iter().map(|(to, message)| (*to, message["method"].as_str().unwrap())).collect();
    assert_eq!(
        heads,
        [
            ("daemon", "initialized"),
            ("editor", "areyouj/connectionChanged"),
            ("daemon", "areyouj/session/list")
        ]
    );
    assert_eq!(told(relay.step(daemon(answer(3)))), [("editor", answer(3))]);
}

#[test]
fn a_daemon_that_dies_of_what_is_said_to_it_is_asked_less_and_less_and_the_editor_is_told() {
    let mut relay = relay();
    relay.step(editor(hello()));
    let mut pauses = Vec::new();
    for _ in 0..MOST_LOST {
        relay.step(Event::Connected);
        match relay.step(Event::DaemonGone { lived: Duration::ZERO }).as_slice() {
            [Action::Connect(pause)] => pauses.push(pause.as_millis()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pauses, [50, 100, 200]);
    relay.step(Event::Connected);
    let refused = told(relay.step(Event::DaemonGone { lived: Duration::ZERO }));
    assert_eq!((refused.len(), &refused[0].1["id"]), (1, &json!(1)));
    assert_eq!(refused[0].1["error"]["data"]["code"], "daemon_start_failed");

    let mut relay = connected();
    let mut pause = |lived| match relay.step(Event::DaemonGone { lived }).pop() {
        Some(Action::Connect(pause)) => pause,
        other => panic!("{other:?}"),
    };
    let longest = (0..20).map(|_| pause(Duration::ZERO)).max();
    assert_eq!((longest, pause(SOUND)), (Some(LONGEST), BREATH));
}

#[test]
fn what_a_lost_daemon_asked_and_showed_is_taken_back() {
    let mut relay = connected();
    let ask =
        |id: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "window/showMessageRequest", "params": {} });
    let show = |kind: &str, token: &str| json!({ "jsonrpc": "2.0", "method": "$/progress", "params": { "token": token, "value": { "kind": kind } } });
    for message in [ask("q-1"), ask("q-2"), show("begin", "t-1"), show("begin", "t-2"), show("end", "t-1")] {
        relay.step(daemon(message));
    }
    assert_eq!(told(relay.step(editor(answer("q-1")))), [("daemon", answer("q-1"))]);
    relay.step(daemon(ask("q-3")));
    relay.step(daemon(json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "q-3" } })));
    let lost = told(relay.step(Event::DaemonGone { lived: SOUND }));
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "q-2" } });
    assert_eq!(lost[..2], [("editor", cancel), ("editor", show("end", "t-2"))]);
    relay.step(Event::Connected);
    relay.step(daemon(answer(INTRODUCTION)));
    assert_eq!(told(relay.step(editor(answer("q-2")))), [], "the new daemon knows nothing of it");
}

#[test]
fn an_answer_is_known_by_its_id_however_that_is_written() {
    let mut relay = connected();
    let list = r#"{"jsonrpc":"2.0","id":"\u0061\/b","method":"areyouj/session/list"}"#;
    relay.step(editor(list));
    assert_eq!(told(relay.step(daemon(answer("a/b")))), [("editor", answer("a/b"))]);
}

#[test]
fn a_folder_that_comes_during_an_introduction_is_told_after_it() {
    let mut relay = connected();
    relay.step(Event::DaemonGone { lived: SOUND });
    relay.step(Event::Connected);
    let event = json!({ "added": [{ "uri": "file:///b", "name": "b" }], "removed": [] });
    let folders = json!({ "jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders", "params": { "event": event } });
    assert_eq!(told(relay.step(editor(folders.clone()))), []);
    assert_eq!(told(relay.step(daemon(answer(INTRODUCTION)))).last(), Some(&("daemon", folders)));
}

#[test]
fn what_the_daemon_has_no_use_for_stays_here() {
    let mut relay = connected();
    let tell = |method: &str| json!({ "jsonrpc": "2.0", "method": method, "params": {} });
    assert_eq!(told(relay.step(editor(tell("textDocument/didSave")))), []);
    assert_eq!(told(relay.step(editor(tell("initialized")))), [("daemon", tell("initialized"))]);
    assert_eq!(told(relay.step(editor(answer(77)))), [], "nobody asked that");
}

#[test]
fn a_daemon_that_cannot_be_had_refuses_what_waits_and_is_tried_again() {
    let mut relay = connected();
    relay.step(Event::DaemonGone { lived: SOUND });
    relay.step(editor(request(2, "areyouj/session/list")));
    let failure = Failure::new(ErrorCode::StorageFull, "The disk is full.", "Free some space.");
    let refused = told(relay.step(Event::Unreachable(failure)));
    assert_eq!(refused[0].1["error"]["data"]["code"], "storage_full");
    assert_eq!(refused[0].1["error"]["data"]["retryable"], true);
    assert_eq!(refused[1].1["params"]["error"]["code"], "storage_full");
    assert_eq!(refused[2].0, "connect");
}

#[test]
fn every_refusal_of_the_relay_is_printed() {
    let mut problems = vec![crate::sidecar::lost(&std::io::ErrorKind::BrokenPipe.into()), away()];
    let mut add = |actions: Vec<Action>| {
        for (_, message) in told(actions) {
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
    let mut silent = relay();
    add(silent.step(editor("{")));
    add(silent.step(editor(request(1, "areyouj/session/list"))));
    let mut refused = connected();
    add(refused.step(editor(hello())));
    for id in 2..=u32::try_from(MAX_REQUESTS).unwrap() + 2 {
        add(refused.step(editor(request(id, "areyouj/session/list"))));
    }
    refused.step(editor(request(1, "shutdown")));
    add(refused.step(editor(request(1, "areyouj/session/list"))));
    let mut lost = relay();
    lost.step(editor(hello()));
    for _ in 0..=MOST_LOST {
        add(lost.step(Event::DaemonGone { lived: Duration::ZERO }));
    }
    let mut other = connected();
    other.step(Event::DaemonGone { lived: SOUND });
    other.step(Event::Connected);
    add(other.step(daemon(json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 1, "message": "no" } }))));
    crate::texts::assert_problems("problems-sidecar", problems);
}

#[test]
fn an_introduction_that_fails_is_answered_and_may_be_tried_again() {
    let mut relay = relay();
    let early = told(relay.step(editor(request(1, "areyouj/session/list"))));
    assert_eq!(early[0].1["error"]["data"]["code"], "not_initialized");
    relay.step(editor(hello()));
    let failure = Failure::new(ErrorCode::DaemonStartFailed, "It does not start.", "Look.");
    let refused = told(relay.step(Event::Unreachable(failure)));
    assert_eq!((refused.len(), &refused[0].1["id"]), (1, &json!(1)));
    assert_eq!(refused[0].1["error"]["data"]["code"], "daemon_start_failed");
    assert_eq!(told(relay.step(editor(hello()))), [("connect", Value::Null)]);
}

#[test]
fn an_editor_without_our_own_part_hears_nothing_of_it() {
    let mut relay = relay();
    let mut hello = hello();
    hello["params"]["capabilities"] = json!({});
    relay.step(editor(hello));
    relay.step(Event::Connected);
    relay.step(daemon(answer(1)));
    assert_eq!(told(relay.step(Event::DaemonGone { lived: SOUND })), [("connect", Value::Null)]);
}

#[test]
fn an_end_is_orderly_after_shutdown_only() {
    let mut relay = connected();
    let exit = json!({ "jsonrpc": "2.0", "method": "exit" });
    assert_eq!(told(relay.step(editor(exit.clone()))), [("exit", json!(1))]);
    let shutdown = told(relay.step(editor(request(2, "shutdown"))));
    assert_eq!(shutdown, [("editor", json!({ "jsonrpc": "2.0", "id": 2, "result": null }))]);
    let late = told(relay.step(editor(request(3, "areyouj/session/list"))));
    assert_eq!(late[0].1["error"]["code"], rpc::INVALID_REQUEST);
    assert_eq!(told(relay.step(editor(exit))), [("exit", json!(0))]);
}

#[test]
fn a_selection_is_sent_as_the_person_sees_it() {
    let mut relay = connected();
    let document = json!({ "uri": "file:///a.rs", "text": "one\ntwo" });
    let opened =
        json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } });
    assert_eq!(told(relay.step(editor(opened))), [], "the daemon has no use for it");
    let range = json!({ "start": { "line": 1, "character": 0 }, "end": { "line": 1, "character": 3 } });
    let mut command = request(2, "workspace/executeCommand");
    command["params"] =
        json!({ "command": lsp::SEND_SELECTION, "arguments": [{ "uri": "file:///a.rs", "range": range }] });
    assert_eq!(told(relay.step(editor(command)))[0].1["params"]["arguments"][0]["text"], "two");
}

#[test]
fn rubbish_and_too_many_requests_are_refused() {
    let mut relay = connected();
    let refused = told(relay.step(Event::Editor(b"{".to_vec())));
    assert_eq!(
        (&refused[0].1["id"], &refused[0].1["error"]["code"]),
        (&Value::Null, &json!(rpc::PARSE_ERROR))
    );
    assert_eq!(told(relay.step(Event::Daemon(b"{".to_vec()))), []);
    for id in 0..MAX_REQUESTS {
        relay.step(editor(request(u32::try_from(id).unwrap(), "areyouj/session/list")));
    }
    let refused = told(relay.step(editor(request(9_999, "areyouj/session/list"))));
    assert_eq!((refused[0].0, &refused[0].1["error"]["data"]["retryable"]), ("editor", &json!(true)));
}
