//! Editors connected to `areyouj lsp`: two third-party clients, and the behaviour when the daemon exits.

use std::process::{Command, Stdio};

use areyouj_tests::checkout::checkout;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};
use areyouj_tests::lsp::Editor;
use areyouj_tests::neovim::neovim_program;
use areyouj_tests::pygls::pygls_directory;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

#[test]
fn neovim_without_the_plugin_creates_a_session_answers_a_request_and_sends_a_selection() {
    let home = TestHome::new();
    let project = home.project("project");
    let neovim = home.expect(neovim_program());
    let output = Command::new(neovim)
        .args(["--clean", "-l"])
        .arg(checkout().join("tests/nvim/bare.lua"))
        .args([&home.cli.program, &project])
        .env_clear()
        .envs(&home.cli.environment)
        .stdin(Stdio::null())
        .current_dir(&project)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let seen: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(seen["prompts"][0]["choices"], json!(["Allow", "Always allow", "Deny"]), "{seen}");
    assert!(seen["prompts"][0]["prompt"].as_str().unwrap().contains("touch made"), "{seen}");
    assert_eq!(seen["progress"], json!(["begin", "end"]));
    let id = seen["session"].as_str().unwrap();
    assert_eq!(seen["actions"], json!([format!("Send selection to Claude session {id} (project)")]));
    let message = home.message_when_idle(id, seen["message"].as_str().unwrap());
    let wanted = format!("{}/code.lua, line 2:\n\n```\nreturn one\n```", project.display());
    assert_eq!(message["text"], wanted.as_str());
}

#[test]
fn a_pygls_client_answers_and_ignores_requests_uses_utf8_positions_and_cancels() {
    let home = TestHome::new();
    let project = home.project("project");
    let pygls = home.expect(pygls_directory());
    home.ok(&["daemon", "start"]);
    let output = Command::new("python3")
        .arg(checkout().join("tests/pygls/editor.py"))
        .args([&home.cli.program, &project])
        .arg(home.daemon_pid().to_string())
        .env_clear()
        .envs(&home.cli.environment)
        .env("PYTHONPATH", pygls)
        .stdin(Stdio::null())
        .current_dir(&project)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let seen: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(seen["encoding"], "utf-8");
    assert_eq!(seen["commands"].as_array().map(Vec::len), Some(6), "{seen}");
    assert_eq!(seen["progress"], json!(["begin", "end"]));
    let [first, second] = ["touch made", "touch other"];
    assert!(seen["questions"][0]["text"].as_str().unwrap().contains(first), "{seen}");
    assert_eq!(seen["questions"][0]["choices"], json!(["Allow", "Always allow", "Deny"]), "{seen}");
    assert!(seen["questions"][1]["text"].as_str().unwrap().contains(second), "{seen}");
    let id = seen["session"].as_str().unwrap();
    assert_eq!(seen["actions"], json!([format!("Send selection to Claude session {id} (project)")]));
    let message = home.message_when_idle(id, seen["message"].as_str().unwrap());
    let wanted = format!("{}/code.rs, line 2:\n\n```\n\u{1f980}\n```", project.display());
    assert_eq!(message["text"], wanted.as_str());
    assert_eq!((&seen["cancelled"], &seen["status"]), (&json!(-32800), &json!(0)));
}

#[test]
fn a_cancelled_request_gets_a_response() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("project");
    let mut editor = Editor::start(&home, &project);
    let daemon = Pid::from_raw(home.daemon_pid());
    kill(daemon, Signal::SIGSTOP).unwrap();
    let id = editor.send_request("areyouj/session/list", &json!({}));
    editor.notify("$/cancelRequest", &json!({ "id": id }));
    kill(daemon, Signal::SIGCONT).unwrap();
    if let Err(error) = editor.response(id) {
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32800), &json!("request_cancelled")));
    }
    // While the daemon checks the directory, nothing has happened: either nothing will, or the session exists.
    let create = json!({ "requestId": "one", "directory": project });
    let id = editor.send_request("areyouj/session/create", &create);
    editor.notify("$/cancelRequest", &json!({ "id": id }));
    if let Err(error) = editor.response(id) {
        assert_eq!(error["data"]["code"], "request_cancelled");
        assert_eq!(editor.request("areyouj/session/list", &json!({}))["sessions"], json!([]));
    }
    let session = editor.request("areyouj/session/create", &create)["session"]["id"].clone();
    // A request that changes something and checks no directory is executed and returns its result.
    let message = json!({ "id": "0c5e8a8e-51f2-4b8e-9a57-6d2f1f0b7a12", "text": "hello" });
    let id = editor.send_request("areyouj/queue/add", &json!({ "sessionId": session, "message": message }));
    editor.notify("$/cancelRequest", &json!({ "id": id }));
    assert_eq!(editor.response(id).unwrap()["sessionId"], session);
}

#[test]
fn an_editor_is_notified_when_its_daemon_exits_and_is_replaced() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("project");
    let mut editor = Editor::start(&home, &project);
    let created =
        editor.request("areyouj/session/create", &json!({ "requestId": "one", "directory": project }));
    let id = created["session"]["id"].as_str().unwrap().to_owned();
    home.wait(&id, "idle");
    home.kill(home.daemon_pid());
    editor.wait("areyouj/connectionChanged", |change| change["state"] == "reconnecting");
    editor.wait("areyouj/connectionChanged", |change| change["state"] == "connected");
    let again =
        editor.request("areyouj/session/create", &json!({ "requestId": "one", "directory": project }));
    assert_eq!(again["session"]["id"], id.as_str(), "a repeated request creates nothing");
    let message = json!({ "id": "0c5e8a8e-51f2-4b8e-9a57-6d2f1f0b7a11", "text": "hello" });
    // The request has no session id: the new daemon knows the folders, too.
    let queued = editor.request("areyouj/queue/add", &json!({ "message": message }));
    assert_eq!(queued["sessionId"], id.as_str());
    home.message_when_idle(&id, queued["id"].as_str().unwrap());
}

#[test]
fn a_client_that_attaches_during_an_answer_receives_its_beginning() {
    let home = TestHome::new();
    let project = home.project("project");
    let id = home.idle_session(&project, &[]);
    let attach = |editor: &mut Editor| editor.request("areyouj/session/attach", &json!({ "sessionId": id }));
    let mut first = Editor::start(&home, &project);
    assert_eq!(attach(&mut first)["deltas"], json!([]));
    home.send(&id, "hold: gate");
    let holding = json!([{ "thinking": false, "text": "Holding … " }]);
    first.wait("areyouj/claudeOutput", |output| output["delta"] == holding[0]);
    assert_eq!(attach(&mut Editor::start(&home, &project))["deltas"], holding);
    home.api.release("gate");
    home.wait(&id, "idle");
    assert_eq!(attach(&mut first)["deltas"], json!([]));
}

#[test]
fn a_session_has_the_environment_of_its_editor_and_survives_it() {
    let home = TestHome::new().with("OF_THE_EDITOR", "yes it is");
    let project = home.project("project");
    let mut editor = Editor::start(&home, &project);
    let created =
        editor.request("areyouj/session/create", &json!({ "requestId": "one", "directory": project }));
    let id = created["session"]["id"].as_str().unwrap().to_owned();
    home.send(&id, "run: echo \"$OF_THE_EDITOR\" > said");
    editor.wait("areyouj/permissionUpdate", |update| update["permission"]["state"] == "open");
    drop(editor);
    let request = home.wait_permission_request(&id);
    home.ok(&["allow", request["id"].as_str().unwrap()]);
    home.wait(&id, "idle");
    assert_eq!(std::fs::read_to_string(project.join("said")).unwrap(), "yes it is\n");
}

#[test]
fn an_editor_without_a_daemon_receives_the_reason_and_can_retry() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("project");
    std::fs::create_dir_all(home.path().join("run/daemon-v1.sock")).unwrap();
    let mut editor = Editor::start_uninitialized(&home);
    let error = editor.initialize(&project).unwrap_err();
    assert_eq!(error["data"]["code"], "daemon_start_failed", "{error}");
    std::fs::remove_dir(home.path().join("run/daemon-v1.sock")).unwrap();
    editor.initialize(&project).unwrap();
    assert_eq!(editor.request("areyouj/session/list", &json!({}))["sessions"], json!([]));
}

#[test]
fn the_daemon_lists_and_validates_directories() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("one project");
    let parent = project.parent().unwrap();
    let mut editor = Editor::start(&home, &project);
    let listed =
        editor.request("areyouj/directory/list", &json!({ "path": format!("{}/on", parent.display()) }));
    assert_eq!(listed["names"], json!(["one project"]));
    let valid =
        editor.request("areyouj/directory/validate", &json!({ "path": format!("{}/", project.display()) }));
    assert_eq!(valid["directory"], project.to_str().unwrap());
    let error =
        editor.try_request("areyouj/directory/validate", &json!({ "path": "/nowhere/at/all" })).unwrap_err();
    assert_eq!(error["data"]["code"], "directory_missing");
}

#[test]
fn only_the_sidecar_exits_with_its_editor() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("project");
    let id = home.idle_session(&project, &[]);
    let mut editor = Editor::start(&home, &project);
    assert_eq!(editor.request("shutdown", &Value::Null), Value::Null);
    editor.notify("exit", &Value::Null);
    assert!(editor.exit(EVENT_TIMEOUT).success());
    let editor = Editor::start(&home, &project);
    assert!(editor.disconnect(EVENT_TIMEOUT).success());
    home.send_and_wait(&id, "still here");
}
