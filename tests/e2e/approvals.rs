//! What a person approves is what runs: the whole request is displayed, and an answer is for what was displayed.

use std::path::Path;

use areyouj_tests::home::{TestHome, text_of};
use areyouj_tests::sandbox::programs;
use serde_json::{Value, json};

/// The open permission request after this message, with the session and the message.
fn asked(home: &TestHome, project: &str, prompt: &str) -> (String, String, Value) {
    let id = home.idle_session(&home.project(project), &[]);
    let message = home.send(&id, prompt);
    home.wait(&id, "waiting");
    let request = home.wait_permission_request(&id);
    (id, message, request)
}

/// The section with this label.
fn section<'a>(request: &'a Value, label: &str) -> &'a Value {
    let sections = request["display"].as_array().into_iter().flatten();
    let found = sections.clone().find(|section| section["label"] == label);
    found.unwrap_or_else(|| panic!("no section {label}: {request:#}"))
}

/// The exact text of a section, and the displayed one.
fn texts(section: &Value) -> (String, String) {
    let segments = section["segments"].as_array().cloned().unwrap_or_default();
    let exact = segments.iter().filter_map(|segment| segment["text"].as_str()).collect();
    let shown = segments.iter().filter_map(|segment| segment["shown"].as_str().or(segment["text"].as_str()));
    (exact, shown.collect())
}

/// Every command that hides its second half, and how that half is displayed.
fn hiding() -> [(&'static str, String, String); 5] {
    let then = |hidden: &str| format!("echo test{hidden}; touch made.txt");
    let shown = |mark: &str| format!("echo test\u{27e8}{mark}\u{27e9}; touch made.txt");
    [
        ("spaces", then(&" ".repeat(3_000)), shown("3,000 spaces")),
        (
            "line breaks",
            format!("echo test{}touch made.txt", "\n".repeat(120)),
            "echo test\n\u{27e8}119 empty lines\u{27e9}\ntouch made.txt".to_owned(),
        ),
        ("no-break spaces", then(&"\u{a0}".repeat(200)), shown("U+00A0 \u{d7}200")),
        (
            "a bidirectional override",
            then("\u{202e}"),
            "echo test\u{27e8}U+202E\u{27e9}; touch made.txt".to_owned(),
        ),
        (
            "look-alikes",
            "\u{441}\u{430}t x; touch made.txt".to_owned(),
            "\u{441}\u{430}t\u{27e8}U+0441 Cyrillic, U+0430 Cyrillic\u{27e9} x; touch made.txt".to_owned(),
        ),
    ]
}

#[test]
fn no_part_of_a_command_hides_from_a_person_and_the_exact_command_runs() {
    let home = TestHome::new();
    for (number, (how, command, shown)) in hiding().into_iter().enumerate() {
        let project = format!("project{number}");
        let prompt = format!("call: Bash {}", json!({ "command": command }));
        let (id, message, request) = asked(&home, &project, &prompt);
        assert_eq!(text_of(section(&request, "Tool"), "style"), "tool");
        assert_eq!(texts(section(&request, "Command")), (command.clone(), shown.clone()), "{how}");
        let size = &section(&request, "Command")["size"];
        assert_eq!(size["characters"], command.chars().count(), "{how}");
        let printed = home.ok(&["permissions", &text_of(&request, "id")]);
        let indented = shown.replace('\n', "\n      ");
        assert!(printed.contains(&format!("$ {indented}")), "{how}: {printed}");
        let allowed = home.ok(&["allow", &text_of(&request, "id")]);
        assert!(allowed.contains(&indented), "a script prints what it allowed: {allowed}");
        home.wait_message(&id, &message, "done");
        assert!(home.project(&project).join("made.txt").is_file(), "{how}: the exact command ran");
    }
}

#[test]
fn an_answer_is_for_what_was_displayed() {
    let home = TestHome::new();
    let (id, message, request) = asked(&home, "project", "run: touch made.txt");
    let (request_id, digest) = (text_of(&request, "id"), text_of(&request, "digest"));
    let other = format!("{}{}", &digest[1..], &digest[..1]);
    for wrong in ["", "0f", &other] {
        assert_eq!(home.error_code(&["allow", &request_id, "--digest", wrong]), "digest_mismatch");
    }
    assert!(!home.project("project").join("made.txt").exists());
    assert_eq!(home.json(&["permissions"])[0]["id"], request_id.as_str(), "the request is still open");
    home.ok(&["allow", &request_id, "--digest", &digest]);
    home.wait_message(&id, &message, "done");
    assert!(home.project("project").join("made.txt").is_file());
}

#[test]
fn the_beginning_of_an_id_answers_nothing() {
    let home = TestHome::new();
    let (id, message, request) = asked(&home, "project", "run: touch made.txt");
    let request_id = text_of(&request, "id");
    for beginning in [&id[..3], &id, &format!("{id}-")] {
        for arguments in [&["allow", beginning][..], &["deny", beginning], &["answer", beginning, "1"]] {
            let refused = home.rejection(arguments);
            assert_eq!(refused["code"], "permission_id_incomplete", "{arguments:?}: {refused}");
            assert!(text_of(&refused, "hint").contains(&request_id), "{refused}");
        }
    }
    assert!(!home.project("project").join("made.txt").exists());
    home.ok(&["allow", &request_id.to_lowercase()]);
    home.wait_message(&id, &message, "done");
}

#[test]
fn always_on_a_write_adds_no_permission_mode_and_says_where_a_rule_is_stored() {
    let home = TestHome::new();
    let directory = home.project("project");
    let write = |name: &str| {
        let input = json!({ "file_path": directory.join(name), "content": "one\n" });
        format!("call: Write {input}")
    };
    let (id, message, request) = asked(&home, "project", &write("a.txt"));
    let request_id = text_of(&request, "id");
    let broader = request["always"].as_array().into_iter().flatten();
    assert!(broader.clone().all(|offer| offer["byDefault"] == false), "{request:#}");
    assert_eq!(home.error_code(&["allow", &request_id, "--always"]), "always_not_offered");
    home.ok(&["allow", &request_id]);
    home.wait_message(&id, &message, "done");
    assert_eq!(home.session(&id)["permissionMode"], "default");

    let message = home.send(&id, "run: touch made.txt");
    home.wait(&id, "waiting");
    let request = home.wait_permission_request(&id);
    let allowed = home.ok(&["allow", &text_of(&request, "id"), "--always"]);
    let stored = "stored in the local settings of this project (.claude/settings.local.json)";
    assert!(allowed.contains("Bash(touch made.txt") && allowed.contains(stored), "{allowed}");
    home.wait_message(&id, &message, "done");
    assert_eq!(home.session(&id)["permissionMode"], "default");
    let log = home.ok(&["logs", &id]);
    assert!(log.contains(stored), "the transcript says it too: {log}");
    let settings = std::fs::read_to_string(directory.join(".claude/settings.local.json")).unwrap();
    assert!(settings.contains("touch made.txt"), "{settings}");
}

#[test]
fn a_permission_mode_is_granted_by_its_number_alone() {
    let home = TestHome::new();
    let input = json!({ "file_path": home.project("project").join("a.txt"), "content": "one\n" });
    let (id, message, request) = asked(&home, "project", &format!("call: Write {input}"));
    let offers = request["always"].as_array().cloned().unwrap_or_default();
    let mode = offers.iter().position(|offer| text_of(offer, "text").contains("acceptEdits"));
    let number = (mode.unwrap_or_else(|| panic!("{request:#}")) + 1).to_string();
    let allowed = home.ok(&["allow", &text_of(&request, "id"), "--always", "--suggestion", &number]);
    assert!(allowed.contains("the permission mode acceptEdits, for this session only"), "{allowed}");
    home.wait_message(&id, &message, "done");
}

#[test]
fn a_command_of_an_mcp_server_is_no_shell_command() {
    let home = TestHome::new();
    let path = Path::new(&home.cli.environment["CLAUDE_CONFIG_DIR"]).join(".claude.json");
    let mut settings: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let server = programs().unwrap().join("mcp-stand-in");
    settings["mcpServers"] = json!({ "shell": { "type": "stdio", "command": server, "args": [] } });
    std::fs::write(&path, settings.to_string()).unwrap();
    let prompt = format!("call: mcp__shell__run {}", json!({ "command": "npm test" }));
    let (id, message, request) = asked(&home, "project", &prompt);
    assert_eq!(texts(section(&request, "Tool")).0, "mcp__shell__run");
    assert_eq!(section(&request, "command")["style"], "text");
    let printed = home.ok(&["permissions", &id]);
    assert!(printed.contains("  Tool: mcp__shell__run\n  command: npm test\n"), "{printed}");
    assert!(!printed.contains('$'), "{printed}");
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&id, &message, "done");
}

/// Questions with these texts and labels, as AskUserQuestion takes them.
fn questions(questions: &[(&str, bool, &[&str])]) -> String {
    let question = |(text, several, labels): &(&str, bool, &[&str])| {
        let options: Vec<Value> =
            labels.iter().map(|label| json!({ "label": label, "description": "a choice" })).collect();
        json!({ "question": text, "header": "Which", "multiSelect": several, "options": options })
    };
    let questions: Vec<Value> = questions.iter().map(question).collect();
    format!("call: AskUserQuestion {}", json!({ "questions": questions }))
}

#[test]
fn exactly_the_chosen_labels_reach_claude() {
    let home = TestHome::new();
    let prompt = questions(&[
        ("Which port?", false, &["2", "1"]),
        ("Which colours?", true, &["red, dark", "blue", "green"]),
    ]);
    let (id, message, request) = asked(&home, "project", &prompt);
    let request_id = text_of(&request, "id");
    assert_eq!(
        home.error_code(&["answer", &request_id, "1", "#1"]),
        "answer_invalid",
        "a number or a label?"
    );
    home.ok(&["answer", &request_id, "=1", "#1,#3"]);
    home.wait_message(&id, &message, "done");
    let log = home.transcript(&id);
    let result = log.iter().rev().find(|entry| entry["body"]["kind"] == "toolResult").unwrap();
    let text = text_of(&result["body"], "text");
    assert!(text.contains("\"Which port?\"=\"1\""), "{text}");
    assert!(text.contains("\"Which colours?\"=\"red, dark, green\""), "{text}");
}

#[test]
fn choices_that_claude_could_read_differently_are_refused() {
    let home = TestHome::new();
    let prompt = questions(&[("Which?", true, &["a, b", "a", "b"])]);
    let (id, message, request) = asked(&home, "project", &prompt);
    let request_id = text_of(&request, "id");
    for choice in ["=a, b", "#1", "#2,#3"] {
        assert_eq!(home.error_code(&["answer", &request_id, choice]), "answer_invalid", "{choice}");
    }
    home.ok(&["answer", &request_id, "#3,#2"]);
    home.wait_message(&id, &message, "done");
}

#[test]
fn questions_of_one_text_are_answered_in_words() {
    // The real Claude refuses such a call before it asks.
    let home = TestHome::with_stand_in("twins");
    let (id, message, request) = asked(&home, "project", "ask");
    let request_id = text_of(&request, "id");
    assert_eq!(home.error_code(&["answer", &request_id, "Red", "Blue"]), "questions_alike");
    home.ok(&["deny", &request_id, "-m", "first Red, then Blue"]);
    home.wait_message(&id, &message, "done");
    let log = home.ok(&["logs", &id]);
    assert!(log.contains("The answer: first Red, then Blue"), "{log}");
}

#[test]
fn a_request_that_would_control_areyouj_is_marked_and_never_allowed_always() {
    let home = TestHome::new();
    let (id, message, request) = asked(&home, "project", "run: sh -c 'areyouj --version'");
    let request_id = text_of(&request, "id");
    assert_eq!(request["controlsAreyouj"], true);
    assert_eq!((&request["suggestions"], &request["always"]), (&json!([]), &json!([])));
    let printed = home.ok(&["permissions", &request_id]);
    assert!(printed.contains("Would control AreYouJ") && !printed.contains("--always"), "{printed}");
    assert_eq!(home.error_code(&["allow", &request_id, "--always"]), "always_not_offered");
    home.ok(&["allow", &request_id]);
    home.wait_message(&id, &message, "done");
}
