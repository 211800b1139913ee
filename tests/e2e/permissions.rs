//! Prompts: tools that ask, questions, plans.

use areyouj_tests::home::{TestHome, rows, text_of};
use serde_json::Value;

/// A session in which `run: touch made.txt` asks for permission, and the prompt.
fn asked(home: &TestHome) -> (String, String, Value) {
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "run: touch made.txt");
    home.wait(&id, "waiting");
    let prompt = home.wait_permission_request(&id);
    (id, message, prompt)
}

#[test]
fn an_allowed_tool_runs_in_the_directory_of_its_session() {
    let home = TestHome::new();
    let (id, message, prompt) = asked(&home);
    let made = home.project("project").join("made.txt");
    assert_eq!(prompt["kind"], "tool");
    assert_eq!(prompt["tool"], "Bash");
    assert_eq!(prompt["input"]["command"], "touch made.txt");
    assert_eq!(home.session(&id)["attention"]["permissionId"], prompt["id"]);
    assert!(!made.exists(), "nothing runs before the answer");
    home.ok(&["allow", &text_of(&prompt, "id")]);
    home.wait_message(&id, &message, "done");
    assert!(made.is_file());
    assert!(home.session(&id)["attention"].is_null());
}

#[test]
fn a_prompt_is_answered_once() {
    let home = TestHome::new();
    let (id, message, prompt) = asked(&home);
    let request = text_of(&prompt, "id");
    home.ok(&["allow", &request]);
    assert_eq!(home.error_code(&["allow", &request]), "permission_answered");
    assert_eq!(home.error_code(&["deny", &request]), "permission_answered");
    home.wait_message(&id, &message, "done");
    assert_eq!(home.json(&["permissions"]).to_string().matches(&request).count(), 0);
}

#[test]
fn of_many_answers_at_once_exactly_one_counts() {
    let home = TestHome::new();
    let (id, message, prompt) = asked(&home);
    let request = text_of(&prompt, "id");
    let answers: Vec<_> = (0..8).map(|_| home.spawn(&["allow", &request, "--json"])).collect();
    let answers: Vec<_> =
        answers.into_iter().map(|run| home.expect(run.finish(areyouj_tests::home::EVENT_TIMEOUT))).collect();
    assert_eq!(answers.iter().filter(|run| run.status == 0).count(), 1, "{answers:#?}");
    for run in answers.iter().filter(|run| run.status != 0) {
        assert_eq!(home.expect(run.error())["code"], "permission_answered");
    }
    home.wait_message(&id, &message, "done");
}

#[test]
fn always_lets_the_same_command_run_without_asking_again() {
    let home = TestHome::new();
    let (id, message, prompt) = asked(&home);
    assert!(prompt["suggestions"].as_array().is_some_and(|suggestions| !suggestions.is_empty()), "{prompt}");
    home.ok(&["allow", &text_of(&prompt, "id"), "--always"]);
    home.wait_message(&id, &message, "done");
    home.send_and_wait(&id, "run: touch made.txt");
    assert_eq!(home.session(&id)["permissionMode"], "default", "a rule was added, the mode is as it was");
}

#[test]
fn a_denial_reaches_claude_with_its_message() {
    let home = TestHome::new();
    let (id, message, prompt) = asked(&home);
    home.ok(&["deny", &text_of(&prompt, "id"), "-m", "use a database instead"]);
    home.wait_message(&id, &message, "done");
    assert!(!home.project("project").join("made.txt").exists());
    let told = home.transcript(&id).iter().any(|entry| {
        entry["body"]["kind"] == "toolResult"
            && entry["body"]["text"].as_str().is_some_and(|text| text.contains("use a database instead"))
    });
    assert!(told, "{:#?}", home.transcript(&id));
}

#[test]
fn a_question_is_answered_with_a_choice() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "ask: Which colour? | Red | Blue");
    home.wait(&id, "waiting");
    let prompt = home.wait_permission_request(&id);
    assert_eq!(prompt["kind"], "question");
    assert_eq!(home.session(&id)["attention"]["kind"], "question");
    home.ok(&["answer", &text_of(&prompt, "id"), "Blue"]);
    home.wait_message(&id, &message, "done");
    let said = home.ok(&["logs", &id]);
    assert!(said.contains("Which colour?") && said.contains("Blue"), "{said}");
}

#[test]
fn a_request_is_listed_and_answered_however_deep_its_input_is() {
    let home = TestHome::with_stand_in("deep");
    let other = home.idle_session(&home.project("other"), &[]);
    home.send(&other, "1");
    let beside = text_of(&home.wait_permission_request(&other), "id");
    let id = home.idle_session(&home.project("project"), &[]);
    for levels in [124, 125, 126, 127, 128, 60, 64, 65, 122, 123, 10_000] {
        let message = home.send(&id, &levels.to_string());
        let request = text_of(&home.wait_permission_request(&id), "id");
        if levels == 10_000 {
            home.kill(home.daemon_pid());
        }
        let open = rows(&home.json(&["permissions"]), "permissions");
        let ids: Vec<String> = open.iter().map(|prompt| text_of(prompt, "id")).collect();
        assert_eq!(ids.len(), 2, "{levels}: {ids:?}");
        assert!(ids.contains(&request) && ids.contains(&beside), "{levels}: {ids:?}");
        let shown = home.ok(&["permissions", &id]);
        assert_eq!(shown.contains("deeper than 64 levels"), levels > 64, "{levels}: {shown}");
        home.ok(&["allow", &request]);
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
    let prompt = home.wait_permission_request(&id);
    assert_eq!(prompt["kind"], "plan");
    home.ok(&["allow", &text_of(&prompt, "id")]);
    home.wait_message(&id, &message, "done");
    home.wait_session(&id, "the plan mode is over", |session| session["permissionMode"] == "default");
}

#[test]
fn an_interrupt_withdraws_the_prompt() {
    let home = TestHome::new();
    let (id, message, prompt) = asked(&home);
    home.ok(&["interrupt", &id]);
    home.wait_message(&id, &message, "interrupted");
    assert_eq!(home.error_code(&["allow", &text_of(&prompt, "id")]), "permission_withdrawn");
    assert!(!home.project("project").join("made.txt").exists());
}

#[test]
fn two_prompts_of_one_message_are_answered_one_by_one() {
    let home = TestHome::new();
    let directory = home.project("project");
    let id = home.idle_session(&directory, &[]);
    let message = home.send(&id, "run2: touch one.txt ;; touch two.txt");
    let first = text_of(&home.wait_permission_request(&id), "id");
    home.ok(&["allow", &first]);
    let second = home.until("a second prompt is open", || {
        let open = rows(&home.cli.json(&["permissions", &id])?, "permissions");
        Ok(open.into_iter().find(|prompt| prompt["id"] != first.as_str()))
    });
    home.ok(&["allow", &text_of(&second, "id")]);
    home.wait_message(&id, &message, "done");
    assert!(directory.join("one.txt").is_file() && directory.join("two.txt").is_file());
}
