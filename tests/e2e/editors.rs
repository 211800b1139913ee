//! Editors at `areyouj lsp`: two that nobody here wrote, and what happens to all of them when the daemon dies.

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
fn a_bare_neovim_creates_a_session_answers_a_prompt_and_sends_a_selection() {
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
fn a_client_of_pygls_answers_and_leaves_permission_requests_counts_in_bytes_and_cancels() {
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
fn a_request_that_is_cancelled_is_answered_all_the_same() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("project");
    let mut editor = Editor::start(&home, &project);
    let daemon = Pid::from_raw(home.daemon_pid());
    kill(daemon, Signal::SIGSTOP).unwrap();
    let id = editor.send_request("areyouj/session/list", &json!({}));
    editor.notify("$/cancelRequest", &json!({ "id": id }));
    kill(daemon, Signal::SIGCONT).unwrap();
    if let Err(refused) = editor.response(id) {
        assert_eq!(
            (&refused["code"], &refused["data"]["code"]),
            (&json!(-32800), &json!("request_cancelled"))
        );
    }
    // A request that changes something is carried out and answered all the same.
    let id =
        editor.send_request("areyouj/session/create", &json!({ "requestId": "one", "directory": project }));
    editor.notify("$/cancelRequest", &json!({ "id": id }));
    assert!(editor.response(id).unwrap()["session"]["id"].is_string());
}

#[test]
fn an_editor_outlives_its_daemon_and_is_told() {
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
    assert_eq!(again["session"]["id"], id.as_str(), "a repeat creates nothing");
    let message = json!({ "id": "0c5e8a8e-51f2-4b8e-9a57-6d2f1f0b7a11", "text": "hello" });
    // No session is named: the folders are known to the new daemon too.
    let queued = editor.request("areyouj/queue/add", &json!({ "message": message }));
    assert_eq!(queued["sessionId"], id.as_str());
    home.message_when_idle(&id, queued["id"].as_str().unwrap());
}

#[test]
fn who_comes_in_the_middle_of_an_answer_is_told_its_beginning() {
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
fn a_session_of_an_editor_has_the_editors_environment_and_stays_when_it_goes() {
    let home = TestHome::new().with("OF_THE_EDITOR", "yes it is");
    let project = home.project("project");
    let mut editor = Editor::start(&home, &project);
    let created =
        editor.request("areyouj/session/create", &json!({ "requestId": "one", "directory": project }));
    let id = created["session"]["id"].as_str().unwrap().to_owned();
    home.send(&id, "run: echo \"$OF_THE_EDITOR\" > said");
    editor.wait("areyouj/permissionUpdate", |update| update["permission"]["state"] == "open");
    drop(editor);
    let prompt = home.wait_permission_request(&id);
    home.ok(&["allow", prompt["id"].as_str().unwrap()]);
    home.wait(&id, "idle");
    assert_eq!(std::fs::read_to_string(project.join("said")).unwrap(), "yes it is\n");
}

#[test]
fn an_editor_without_a_daemon_is_told_why_and_may_try_again() {
    let home = TestHome::with_stand_in("obedient");
    let project = home.project("project");
    std::fs::create_dir_all(home.path().join("run/daemon-v1.sock")).unwrap();
    let mut editor = Editor::start_uninitialized(&home);
    let refused = editor.initialize(&project).unwrap_err();
    assert_eq!(refused["data"]["code"], "daemon_start_failed", "{refused}");
    std::fs::remove_dir(home.path().join("run/daemon-v1.sock")).unwrap();
    editor.initialize(&project).unwrap();
    assert_eq!(editor.request("areyouj/session/list", &json!({}))["sessions"], json!([]));
}

#[test]
fn directories_are_chosen_with_the_daemons_help() {
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
    let refused =
        editor.try_request("areyouj/directory/validate", &json!({ "path": "/nowhere/at/all" })).unwrap_err();
    assert_eq!(refused["data"]["code"], "directory_missing");
}

#[test]
fn the_end_of_an_editor_is_the_end_of_its_sidecar_alone() {
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
