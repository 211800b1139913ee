//! An editor that supports only the Language Server Protocol.

use super::*;

fn session(id: &str, status: &str) -> Value {
    json!({
        "id": id, "directory": "/a", "name": null, "driver": "stream", "status": status, "statusSince": 1,
        "statusSource": "control", "statusReason": null, "error": null, "attention": null, "currentTask": null,
        "createdAt": 1, "lastActivity": 1, "pid": null, "hostPid": null, "claudeSessionId": "", "model": null,
        "permissionMode": null, "costUsd": 0.0, "contextUsed": null, "contextMax": null, "queued": 0,
        "queuePaused": null, "unread": 0, "startupMs": null,
    })
}

fn permission(number: u32, state: &str) -> Value {
    json!({
        "id": format!("K7M2Q9XD-{number}"), "sessionId": "K7M2Q9XD", "kind": "tool", "tool": "Bash",
        "input": { "command": "ls" }, "title": "Run a command", "display": [], "digest": "0f",
        "controlsAreyouj": false, "suggestions": [], "always": [], "createdAt": 1, "state": state,
        "answeredBy": null, "granted": [],
    })
}

fn updated(permission: &Value) -> Event {
    let params = json!({ "sessionId": "K7M2Q9XD", "permission": permission });
    daemon(notify("areyouj/permissionUpdate", &params))
}

fn changed(session: &Value) -> Event {
    let params = json!({ "revision": 1, "sessionId": session["id"], "session": session });
    daemon(notify("areyouj/sessionListUpdate", &params))
}

fn result(of: &Value, result: &Value) -> Event {
    daemon(json!({ "jsonrpc": "2.0", "id": of["id"], "result": result }))
}

/// The editor's answer to a request of the server.
fn replied(of: &Value, result: &Value) -> Event {
    editor(json!({ "jsonrpc": "2.0", "id": of["id"], "result": result }))
}

/// Answers the server's list requests to the daemon. Returns the following messages to the editor.
fn list(
    router: &mut Router,
    asked: &Value,
    permissions: &Value,
    sessions: &Value,
) -> Vec<(&'static str, Value)> {
    assert_eq!(asked["method"], "areyouj/permission/list");
    let mut all = messages(router.step(result(asked, &json!({ "permissions": permissions }))));
    let at = all.iter().position(|(to, _)| *to == "daemon").unwrap();
    let (_, asked) = all.remove(at);
    assert_eq!(asked["method"], "areyouj/session/list");
    all.extend(messages(router.step(result(&asked, &json!({ "revision": 1, "sessions": sessions })))));
    all
}

/// A router for an editor with progress, and its first messages with these permission requests and sessions.
fn ready(permissions: &Value, sessions: &Value) -> (Router, Vec<Value>) {
    let mut router = router();
    router.step(editor(hello(&json!({ "window": { "workDoneProgress": true } }))));
    assert_eq!(connect(&mut router).len(), 1);
    assert_eq!(messages(router.step(updated(&permission(9, "open")))), [], "it is not ready");
    let (_, asked) = only(router.step(editor(notify("initialized", &json!({})))));
    let all = list(&mut router, &asked, permissions, sessions);
    (router, all.into_iter().map(|(_, message)| message).collect())
}

fn cancel(of: &Value) -> (&'static str, Value) {
    ("editor", notify("$/cancelRequest", &json!({ "id": of["id"] })))
}

#[test]
fn a_permission_request_is_a_question_whose_answer_is_sent_to_the_daemon() {
    let (mut router, asked) = ready(&json!([permission(1, "open")]), &json!([]));
    let [question] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(question["method"], "window/showMessageRequest");
    assert!(question["id"].is_string());
    assert_eq!(question["params"]["actions"], json!([{ "title": "Allow" }, { "title": "Deny" }]));
    assert_eq!(messages(router.step(updated(&permission(1, "open")))), [], "once");
    let (to, asked) = only(router.step(replied(question, &json!({ "title": "Deny" }))));
    assert_eq!((to, &asked["method"]), ("daemon", &json!("areyouj/permission/answer")));
    assert_eq!(asked["params"]["permissionId"], "K7M2Q9XD-1");
    assert_eq!(asked["params"]["digest"], "0f");
    assert_eq!(asked["params"]["answer"], json!({ "decision": "deny" }));
    assert_eq!(messages(router.step(replied(question, &json!({ "title": "Deny" })))), [], "once");
    let data = json!({ "code": "permission_answered", "hint": "Look." });
    let error = json!({ "code": rpc::REFUSED, "message": "Too late.", "data": data });
    let rejected = daemon(json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error }));
    let shown = notify("window/showMessage", &json!({ "type": 2, "message": "Too late. Look." }));
    assert_eq!(messages(router.step(rejected)), [("editor", shown)]);
}

#[test]
fn a_question_is_withdrawn_when_it_was_answered_elsewhere() {
    let (mut router, _) = ready(&json!([]), &json!([]));
    let (_, question) = only(router.step(updated(&permission(1, "open"))));
    assert_eq!(messages(router.step(updated(&permission(1, "answered")))), [cancel(&question)]);
    assert_eq!(messages(router.step(replied(&question, &json!({ "title": "Allow" })))), []);
    let (_, question) = only(router.step(updated(&permission(2, "open"))));
    assert_eq!(
        messages(router.step(replied(&question, &Value::Null))),
        [],
        "it stays open for other clients"
    );
}

#[test]
fn questions_and_progress_of_a_lost_daemon_are_withdrawn_and_repeated_for_the_next() {
    let (mut router, _) = ready(&json!([]), &json!([]));
    let (_, answered) = only(router.step(updated(&permission(1, "open"))));
    let (_, open) = only(router.step(updated(&permission(2, "open"))));
    router.step(replied(&answered, &json!({ "title": "Allow" })));
    let (_, room) = only(router.step(changed(&session("AAAAAAAA", "starting"))));
    let (_, begin) = only(router.step(replied(&room, &Value::Null)));
    let lost = messages(router.step(Event::DaemonGone { lived: USEFUL_CONNECTION }));
    let end = notify("$/progress", &json!({ "token": begin["params"]["token"], "value": { "kind": "end" } }));
    assert_eq!(lost, [("connect", Value::Null), cancel(&open), ("editor", end)]);
    let late = replied(&open, &json!({ "title": "Allow" }));
    assert_eq!(messages(router.step(late)), [], "the new daemon knows nothing of it");
    let (to, asked) = connect(&mut router).remove(0);
    assert_eq!(to, "daemon");
    let again = list(&mut router, &asked, &json!([permission(1, "open"), permission(2, "open")]), &json!([]));
    assert_eq!(again.len(), 2, "a lost answer is requested again: {again:?}");
}

#[test]
fn a_start_is_displayed_as_progress_until_the_session_is_ready() {
    let (mut router, shown) = ready(&json!([]), &json!([session("AAAAAAAA", "starting")]));
    let [room] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(room["method"], "window/workDoneProgress/create");
    let (_, begin) = only(router.step(replied(room, &Value::Null)));
    assert_eq!(begin["params"]["token"], room["params"]["token"]);
    let title = "Claude session AAAAAAAA (a) starts";
    assert_eq!(begin["params"]["value"], json!({ "kind": "begin", "title": title }));
    assert_eq!(messages(router.step(changed(&session("AAAAAAAA", "starting")))), []);
    let (_, end) = only(router.step(changed(&session("AAAAAAAA", "idle"))));
    assert_eq!(end["params"]["value"], json!({ "kind": "end", "message": "idle" }));

    let starting = session("BBBBBBBB", "starting");
    let created = json!({ "revision": 2, "sessionId": "BBBBBBBB", "session": starting });
    let (_, room) = only(router.step(daemon(notify("areyouj/sessionCreated", &created))));
    assert_eq!(messages(router.step(changed(&session("BBBBBBBB", "idle")))), [cancel(&room)]);
    assert_eq!(messages(router.step(replied(&room, &Value::Null))), [], "it never begins");

    let (_, room) = only(router.step(changed(&session("CCCCCCCC", "starting"))));
    let error = json!({ "code": rpc::METHOD_NOT_FOUND, "message": "What?" });
    let declined = json!({ "jsonrpc": "2.0", "id": room["id"], "error": error });
    assert_eq!(messages(router.step(editor(declined))), [], "without a token there is no progress");
}

#[test]
fn an_editor_that_was_too_slow_receives_the_current_state() {
    let (mut router, asked) = ready(&json!([permission(1, "open"), permission(2, "open")]), &json!([]));
    let [first, second] = &asked[..] else { panic!("{asked:?}") };
    router.step(replied(first, &Value::Null));
    let (_, asked) = only(router.step(daemon(notify("areyouj/resync", &json!({ "dropped": 1 })))));
    let now = json!([permission(1, "open"), permission(3, "open")]);
    let all = list(&mut router, &asked, &now, &json!([]));
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all.iter().find(|(_, message)| message["id"].is_null()), Some(&cancel(second)));
    let question = all.iter().find(|(_, message)| message["id"].is_string()).unwrap();
    assert!(question.1["params"]["message"].as_str().unwrap().starts_with("K7M2Q9XD-3"), "{question:?}");
}

#[test]
fn the_daemons_own_notifications_are_not_forwarded() {
    let (mut router, _) = ready(&json!([]), &json!([]));
    for event in ["sessionTerminated", "queueUpdate", "claudeOutput", "later"] {
        let push = notify(&format!("areyouj/{event}"), &json!({}));
        assert_eq!(messages(router.step(daemon(push))), [], "{event}");
    }
    assert_eq!(
        messages(router.step(Event::DaemonGone { lived: USEFUL_CONNECTION })),
        [("connect", Value::Null)]
    );
}

#[test]
fn a_code_action_sends_the_selection_from_the_open_document() {
    let (mut router, _) = ready(&json!([]), &json!([]));
    let document =
        json!({ "uri": "file:///a/b c.rs", "languageId": "rust", "version": 1, "text": "one\ntwo" });
    let opened = notify("textDocument/didOpen", &json!({ "textDocument": document }));
    assert_eq!(messages(router.step(editor(opened))), []);
    let mut asked = request(2, "textDocument/codeAction");
    let range = json!({ "start": { "line": 1, "character": 0 }, "end": { "line": 1, "character": 3 } });
    asked["params"] = json!({
        "textDocument": { "uri": "file:///a/b c.rs" }, "range": range, "context": { "diagnostics": [] },
    });
    let (_, sessions) = only(router.step(editor(asked)));
    assert_eq!(sessions["method"], "areyouj/session/list");
    let listed = json!({ "revision": 1, "sessions": [session("AAAAAAAA", "idle")] });
    let (_, offered) = only(router.step(result(&sessions, &listed)));
    let command = &offered["result"][0]["command"];
    assert_eq!(command["title"], "Send selection to Claude session AAAAAAAA (a)");
    let mut execute = request(3, "workspace/executeCommand");
    execute["params"] = json!({ "command": command["command"], "arguments": command["arguments"] });
    let (to, add) = only(router.step(editor(execute)));
    assert_eq!((to, &add["method"]), ("daemon", &json!("areyouj/queue/add")));
    assert_eq!(add["params"]["sessionId"], "AAAAAAAA");
    assert_eq!(add["params"]["message"]["text"], "/a/b c.rs, line 2:\n\n```\ntwo\n```");
    let done = json!({ "id": "m", "later": 1 });
    let (_, answered) = only(router.step(result(&add, &done)));
    assert_eq!((&answered["id"], &answered["result"]), (&json!(3), &done));
}

#[test]
fn positions_are_in_the_encoding_that_the_editor_prefers() {
    for (offered, chosen) in [
        (Value::Null, Value::Null),
        (json!(["utf-16"]), json!("utf-16")),
        (json!(["utf-8", "utf-16"]), json!("utf-8")),
        (json!(["utf-32", "utf-8"]), json!("utf-32")),
        (json!(["utf-7"]), json!("utf-16")),
    ] {
        let mut router = router();
        router.step(editor(hello(&json!({ "general": { "positionEncodings": offered } }))));
        let (_, introduced) = connect(&mut router).remove(0);
        assert_eq!(introduced["result"]["capabilities"]["positionEncoding"], chosen);
    }
}
