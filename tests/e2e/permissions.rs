//! Permission requests: for tools, questions and plans.

use areyouj_tests::home::{TestHome, rows, text_of};
use serde_json::{Value, json};

/// A session with a permission request for `run: touch made.txt`: its id, the message and the request.
fn session_with_request(home: &TestHome) -> (String, String, Value) {
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "run: touch made.txt");
    home.wait(&id, "waiting");
    let request = home.wait_permission_request(&id);
    (id, message, request)
}

#[test]
fn an_allowed_tool_runs_in_the_directory_of_its_session() {
    let home = TestHome::new();
    let (id, message, request) = session_with_request(&home);
    let made = home.project("project").join("made.txt");
    assert_eq!(request["kind"], "tool");
    assert_eq!(request["tool"], "Bash");
    assert_eq!(request["input"]["command"], "touch made.txt");
    assert_eq!(home.session(&id)["attention"]["permissionId"], request["id"]);
    assert!(!made.exists(), "the tool must not run before the answer");
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&id, &message, "done");
    assert!(made.is_file());
    assert!(home.session(&id)["attention"].is_null());
}

#[test]
fn a_request_is_answered_once() {
    let home = TestHome::new();
    let (id, message, request) = session_with_request(&home);
    let request_id = text_of(&request, "id");
    home.ok(&["allow", &request_id]);
    assert_eq!(home.error_code(&["allow", &request_id]), "permission_answered");
    assert_eq!(home.error_code(&["deny", &request_id]), "permission_answered");
    home.wait_message(&id, &message, "done");
    assert_eq!(home.json(&["permissions"]).to_string().matches(&request_id).count(), 0);
}

#[test]
fn only_one_of_several_concurrent_answers_counts() {
    let home = TestHome::new();
    let (id, message, request) = session_with_request(&home);
    let request_id = text_of(&request, "id");
    let answers: Vec<_> = (0..8).map(|_| home.spawn(&["allow", &request_id, "--json"])).collect();
    let answers: Vec<_> =
        answers.into_iter().map(|run| home.expect(run.finish(areyouj_tests::home::EVENT_TIMEOUT))).collect();
    assert_eq!(answers.iter().filter(|run| run.status == 0).count(), 1, "{answers:#?}");
    for run in answers.iter().filter(|run| run.status != 0) {
        assert_eq!(home.expect(run.error())["code"], "permission_answered");
    }
    home.wait_message(&id, &message, "done");
}

#[test]
fn always_runs_the_same_command_without_another_request() {
    let home = TestHome::new();
    let (id, message, request) = session_with_request(&home);
    assert!(
        request["suggestions"].as_array().is_some_and(|suggestions| !suggestions.is_empty()),
        "{request}"
    );
    home.ok(&["allow", &text_of(&request, "id"), "--always"]);
    home.wait_message(&id, &message, "done");
    home.send_and_wait(&id, "run: touch made.txt");
    assert_eq!(
        home.session(&id)["permissionMode"],
        "default",
        "a rule was added, and the mode did not change"
    );
}

#[test]
fn a_denial_reaches_claude_with_its_message() {
    let home = TestHome::new();
    let (id, message, request) = session_with_request(&home);
    home.ok(&["deny", &text_of(&request, "id"), "-m", "use a database instead"]);
    home.wait_message(&id, &message, "done");
    assert!(!home.project("project").join("made.txt").exists());
    let received = home.transcript(&id).iter().any(|entry| {
        entry["body"]["kind"] == "toolResult"
            && entry["body"]["text"].as_str().is_some_and(|text| text.contains("use a database instead"))
    });
    assert!(received, "{:#?}", home.transcript(&id));
}

#[test]
fn a_question_is_answered_with_a_choice() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "ask: Which colour? | Red | Blue");
    home.wait(&id, "waiting");
    let request = home.wait_permission_request(&id);
    assert_eq!(request["kind"], "question");
    assert_eq!(home.session(&id)["attention"]["kind"], "question");
    home.ok(&["answer", &text_of(&request, "id"), "Blue"]);
    home.wait_message(&id, &message, "done");
    let log = home.ok(&["logs", &id]);
    assert!(log.contains("Which colour?") && log.contains("Blue"), "{log}");
}

#[test]
fn a_request_with_deeply_nested_input_is_listed_and_answered() {
    let home = TestHome::with_stand_in("deep");
    let other = home.idle_session(&home.project("other"), &[]);
    home.send(&other, "1");
    let other_request = text_of(&home.wait_permission_request(&other), "id");
    let id = home.idle_session(&home.project("project"), &[]);
    for levels in [124, 125, 126, 127, 128, 60, 64, 65, 122, 123, 10_000] {
        let message = home.send(&id, &levels.to_string());
        let request_id = text_of(&home.wait_permission_request(&id), "id");
        if levels == 10_000 {
            home.kill(home.daemon_pid());
        }
        let open = rows(&home.json(&["permissions"]), "permissions");
        let ids: Vec<String> = open.iter().map(|request| text_of(request, "id")).collect();
        assert_eq!(ids.len(), 2, "{levels}: {ids:?}");
        assert!(ids.contains(&request_id) && ids.contains(&other_request), "{levels}: {ids:?}");
        let shown = home.ok(&["permissions", &id]);
        assert_eq!(shown.contains("deeper than 64 levels"), levels > 64, "{levels}: {shown}");
        home.ok(&["allow", &request_id]);
        home.wait_message(&id, &message, "done");
        let entries = home.transcript(&id);
        let last = entries.iter().rev().find(|entry| entry["body"]["kind"] == "text");
        assert_eq!(
            last.map(|entry| text_of(&entry["body"], "text")).as_deref(),
            Some("The input came back whole.")
        );
    }
}

#[test]
fn a_plan_is_allowed() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &["--permission-mode", "plan"]);
    let message = home.send(&id, "plan: First this, then that.");
    home.wait(&id, "waiting");
    let request = home.wait_permission_request(&id);
    assert_eq!(request["kind"], "plan");
    // The request of Claude lacks the plan, which is in the tool call.
    assert_eq!(request["input"], json!({}));
    assert_eq!(request["title"], "Plan: First this, then that.");
    let plan = request["display"].as_array().unwrap().iter().find(|section| section["style"] == "plan");
    assert_eq!(plan.unwrap()["segments"][0]["text"], "First this, then that.");
    home.kill(home.daemon_pid());
    let same = home.wait_permission_request(&id);
    assert_eq!((&same["display"], &same["digest"]), (&request["display"], &request["digest"]));
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&id, &message, "done");
    home.wait_session(&id, "the session is no longer in plan mode", |session| {
        session["permissionMode"] == "default"
    });
}

#[test]
fn an_interrupt_withdraws_the_request() {
    let home = TestHome::new();
    let (id, message, request) = session_with_request(&home);
    home.ok(&["interrupt", &id]);
    home.wait_message(&id, &message, "interrupted");
    assert_eq!(home.error_code(&["allow", &text_of(&request, "id")]), "permission_withdrawn");
    assert!(!home.project("project").join("made.txt").exists());
}

#[test]
fn two_requests_of_one_message_are_answered_one_by_one() {
    let home = TestHome::new();
    let directory = home.project("project");
    let id = home.idle_session(&directory, &[]);
    let message = home.send(&id, "run2: touch one.txt ;; touch two.txt");
    let first = text_of(&home.wait_permission_request(&id), "id");
    home.ok(&["allow", &first]);
    let second = home.until("a second request is open", || {
        let open = rows(&home.cli.json(&["permissions", &id])?, "permissions");
        Ok(open.into_iter().find(|request| request["id"] != first.as_str()))
    });
    home.ok(&["allow", &text_of(&second, "id")]);
    home.wait_message(&id, &message, "done");
    assert!(directory.join("one.txt").is_file() && directory.join("two.txt").is_file());
}
