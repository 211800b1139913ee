//! Trust in a directory: nothing that a repository brings runs before a person trusts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, rows, text_of};
use areyouj_tests::lsp::Editor;
use areyouj_tests::tmux::Terminal;
use serde_json::{Value, json};

const SIZE: (u16, u16) = (100, 40);

/// What the repository of a stranger leaves behind when it runs, each by the file that it writes.
const LEFT: [&str; 3] = ["hook-ran", "server-ran", "helper-ran"];

/// The repository of a stranger: everything in it that Claude runs by itself writes a file.
fn repository(home: &TestHome) -> PathBuf {
    let directory = home.path().join("stranger");
    home.expect(fs::create_dir_all(directory.join(".claude")).map_err(Into::into));
    let write = |name: &str, content: &Value| {
        home.expect(fs::write(directory.join(name), content.to_string()).map_err(Into::into));
    };
    let touch = |name: &str| format!("touch {}", directory.join(name).display());
    let hook = json!({"matcher": "startup", "hooks": [{"type": "command", "command": touch("hook-ran")}]});
    write(
        ".claude/settings.json",
        &json!({
            "hooks": {"SessionStart": [hook]},
            "env": {"STRANGER": "one"},
            "apiKeyHelper": touch("helper-ran"),
            "permissions": {"allow": ["Bash(touch:*)"]},
        }),
    );
    let server = json!({"command": "sh", "args": ["-c", touch("server-ran")]});
    write(".mcp.json", &json!({"mcpServers": {"stranger": server}}));
    directory
}

fn left(directory: &Path) -> Vec<&str> {
    LEFT.into_iter().filter(|name| directory.join(name).exists()).collect()
}

fn request_of(home: &TestHome, session: &str) -> Value {
    let request = home.wait_permission_request(session);
    assert_eq!((&request["kind"], &request["tool"]), (&json!("trust"), &json!("Trust")), "{request:#}");
    request
}

fn runs_all(home: &TestHome, directory: &Path) {
    home.until("everything of the repository ran", || Ok((left(directory) == LEFT).then_some(())));
}

#[test]
fn nothing_of_a_repository_runs_before_a_person_trusts_it() {
    let home = TestHome::new();
    let directory = repository(&home);
    let run = home.areyouj(&["new", &directory.to_string_lossy(), "-m", "hello"]);
    let id = run.stdout.trim().to_owned();
    assert!(run.stderr.contains(&format!("areyouj allow {id}-1")), "{run}");
    let session = home.session(&id);
    assert_eq!((&session["status"], &session["claudePid"]), (&json!("waiting"), &Value::Null), "{session:#}");
    let request = request_of(&home, &id);
    assert_eq!(session["attention"]["permissionId"], request["id"]);
    let input = &request["input"];
    assert_eq!(input["hooks"][0]["event"], "SessionStart", "{request:#}");
    assert_eq!(input["commands"][0]["setting"], "apiKeyHelper");
    assert_eq!(input["environment"][0]["name"], "STRANGER");
    assert_eq!(input["mcpServers"][0]["name"], "stranger");
    let shown = home.ok(&["permissions", &id]);
    for text in ["touch ", "hook-ran", "STRANGER", "one", "helper-ran", "server-ran", "Bash(touch:*)"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }

    home.kill(home.daemon_pid());
    assert_eq!(home.session(&id)["status"], "waiting", "another daemon waits too");
    assert_eq!(home.queued_texts(&id), ["hello"]);
    assert_eq!(left(&directory), Vec::<&str>::new());
    assert_eq!(home.api.prompts(), Vec::<String>::new());

    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait(&id, "idle");
    assert_eq!(home.api.prompts(), ["hello"]);
    runs_all(&home, &directory);

    // The answer holds for the directory and below.
    let below = directory.join("below");
    home.expect(fs::create_dir_all(&below).map_err(Into::into));
    home.idle_session(&below, &[]);
    let log = home.ok(&["logs", &id]);
    assert!(log.contains("Trust "), "{log}");
}

#[test]
fn a_directory_that_is_not_trusted_ends_the_session() {
    let home = TestHome::new();
    let directory = repository(&home);
    let id = home.new_session(&directory, &["-m", "hello"]);
    home.ok(&["deny", &text_of(&request_of(&home, &id), "id")]);
    home.wait(&id, "terminated");
    assert_eq!(left(&directory), Vec::<&str>::new());
    assert_eq!(home.message(&id, &text_of(&home.messages(&id)[0], "id"))["state"], "cancelled");
    assert!(home.ok(&["logs", &id]).contains("nothing ran"));
}

#[test]
fn a_person_can_trust_the_directory_of_a_new_session_in_advance() {
    let home = TestHome::new();
    let directory = repository(&home);
    home.idle_session(&directory, &["--trust"]);
    runs_all(&home, &directory);
}

#[test]
fn what_changes_between_the_question_and_the_start_is_asked_about_again() {
    let home = TestHome::new();
    let directory = repository(&home);
    let id = home.new_session(&directory, &[]);
    let request = request_of(&home, &id);
    home.expect(fs::write(directory.join(".mcp.json"), "{}").map_err(Into::into));
    home.ok(&["allow", &text_of(&request, "id")]);
    let again = home.until("the question again", || {
        let open = rows(&home.cli.json(&["permissions", &id])?, "permissions").into_iter().next();
        Ok(open.filter(|open| open["id"] != request["id"]))
    });
    assert_eq!(again["input"]["mcpServers"], Value::Null);
    assert_eq!(left(&directory), Vec::<&str>::new());
    home.ok(&["allow", &text_of(&again, "id")]);
    home.wait(&id, "idle");
}

#[test]
fn trust_does_not_reach_into_a_repository_below() {
    let home = TestHome::new();
    let outer = home.project("outer");
    let inner = outer.join("inner");
    let made = Command::new("git").args(["init", "-q"]).arg(&inner).env_clear().status();
    assert!(made.unwrap().success());
    let id = home.new_session(&inner, &[]);
    let request = request_of(&home, &id);
    let directory = inner.canonicalize().unwrap();
    assert_eq!(request["input"], json!({ "directory": directory.to_string_lossy() }));
    home.ok(&["terminate", &id]);
    assert_eq!(home.json(&["permissions"]).to_string().matches(&id).count(), 0);
}

#[test]
fn hostile_files_are_shown_as_they_are_and_never_hang_the_daemon() {
    let home = TestHome::new();
    let directory = home.path().join("stranger");
    let claude = directory.join(".claude");
    home.expect(fs::create_dir_all(claude.join("agents")).map_err(Into::into));
    let command = format!("true{}; touch evil\u{202e}\u{1b}[8m", "\n".repeat(200));
    let hook = json!([{"hooks": [{"type": "command", "command": command}]}]);
    let settings =
        json!({"hooks": {"Stop\nDirectory: /safe": hook}, "statusLine": {"type": "command", "command": "x"}});
    home.expect(fs::write(claude.join("settings.json"), settings.to_string()).map_err(Into::into));
    let fifo = claude.join("settings.local.json");
    home.expect(nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).map_err(Into::into));
    home.expect(fs::write(directory.join(".mcp.json"), vec![b' '; 300 << 10]).map_err(Into::into));
    home.expect(fs::write(claude.join("agents/helper.md"), "text").map_err(Into::into));
    let id = home.new_session(&directory, &[]);
    let input = &request_of(&home, &id)["input"];
    assert_eq!(input["hooks"][0]["command"], command.as_str());
    assert_eq!(input["commands"][0]["setting"], "statusLine");
    assert_eq!(input["files"], json!([".claude/agents/helper.md"]));
    let unreadable: Vec<&str> =
        input["unreadable"].as_array().unwrap().iter().filter_map(|item| item["file"].as_str()).collect();
    assert_eq!(unreadable, [".claude/settings.local.json", ".mcp.json"]);
    let shown = home.ok(&["permissions", &id]);
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{1b}'), "{shown}");
    assert!(!shown.contains("\n  Directory: /safe"), "{shown}");
    home.ok(&["terminate", &id]);
}

#[test]
fn a_person_at_a_terminal_is_asked_at_once() {
    let home = TestHome::new();
    let directory = repository(&home);
    let terminal = home.expect(Terminal::open(&home.cli.directory, &home.cli.environment, SIZE));
    let new = |answer: &str| {
        home.expect(terminal.type_text(&format!("clear; areyouj new {}\n", directory.display())));
        home.expect(terminal.wait_for("Trust this directory and everything below it? [y/n]", EVENT_TIMEOUT));
        let screen = home.expect(terminal.screen());
        assert!(screen.contains("Hook SessionStart in .claude/settings.json"), "{screen}");
        home.expect(terminal.type_text(&format!("{answer}\n")));
    };
    new("n");
    home.expect(terminal.wait_for("nothing ran, and the session has ended", EVENT_TIMEOUT));
    assert_eq!(home.sessions(), Vec::<String>::new());
    assert_eq!(left(&directory), Vec::<&str>::new());
    new("y");
    let id = home.until("a session", || Ok(home.sessions().pop()));
    home.wait(&id, "idle");
    runs_all(&home, &directory);
}

#[test]
fn an_editor_without_an_extension_asks_in_a_message_box() {
    let home = TestHome::new();
    let directory = repository(&home);
    let mut editor = Editor::start_uninitialized(&home);
    let uri = format!("file://{}", directory.display());
    let folders = json!([{ "uri": uri, "name": "stranger" }]);
    editor.request("initialize", &json!({ "capabilities": {}, "workspaceFolders": folders }));
    editor.notify("initialized", &json!({}));
    let id = home.new_session(&directory, &[]);
    let asked =
        editor.wait("window/showMessageRequest", |params| params["message"].to_string().contains(&id));
    let actions = asked["actions"].as_array().unwrap();
    let titles: Vec<&str> = actions.iter().filter_map(|action| action["title"].as_str()).collect();
    assert_eq!(titles, ["Trust", "Deny"], "{asked:#}");
    let message = asked["message"].as_str().unwrap();
    assert!(message.contains("hook-ran") && message.contains("server-ran"), "{message}");
    home.ok(&["terminate", &id]);
}

#[test]
fn a_session_that_waits_for_trust_can_continue_in_its_terminal_where_claude_asks() {
    let home = TestHome::new();
    let directory = repository(&home);
    let id = home.new_session(&directory, &[]);
    request_of(&home, &id);
    home.ok(&["switch-driver", &id, "terminal"]);
    let session = home.wait_session(&id, "Claude asks", |session| session["attention"]["kind"] == "terminal");
    assert_eq!(session["status"], "waiting");
    assert_eq!(left(&directory), Vec::<&str>::new());
    home.ok(&["terminate", &id]);
}
