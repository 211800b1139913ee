//! What processes inside a session can do: read that session, and nothing else.
//!
//! The real Claude runs a script that a person allowed once. The script tries everything that a client can ask, as
//! directly as a process of the same user can.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};
use areyouj_tests::processes::{self, Process};
use areyouj_tests::tmux::Terminal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};

const SCRIPT: &str = include_str!("inside/hostile.py");

/// A person's session with an open permission request and a queued message, and the session in which the script runs.
struct Scene {
    home: TestHome,
    other: String,
    request: String,
    own: String,
    project: PathBuf,
}

impl Scene {
    fn new(driver: &str) -> Scene {
        let home = TestHome::new();
        let other = home.idle_session(&home.project("other"), &[]);
        home.send(&other, "run: touch made.txt");
        home.wait(&other, "waiting");
        let request = text_of(&home.wait_permission_request(&other), "id");
        home.send(&other, "say: later");
        let project = home.project("project");
        fs::write(project.join("hostile.py"), SCRIPT).unwrap();
        let own = home.idle_session(&project, &["--driver", driver, "--permission-mode", "default"]);
        Scene { home, other, request, own, project }
    }

    /// Writes a plan for the script; returns what will receive the outcomes.
    fn plan(&self, name: &str, mut plan: Value) -> Receiver<String> {
        let outcomes = self.project.join(format!("{name}.outcomes"));
        mkfifo(&outcomes, Mode::S_IRWXU).unwrap();
        plan["program"] = json!(self.home.cli.program);
        plan["home"] = json!(self.home.path());
        plan["socket"] = json!(self.home.path().join("run/daemon-v1.sock"));
        plan["outcomes"] = json!(outcomes);
        fs::write(self.project.join(name), plan.to_string()).unwrap();
        let (sender, receiver) = channel();
        thread::spawn(move || sender.send(fs::read_to_string(outcomes).unwrap()));
        receiver
    }

    /// Claude runs the script once, which a person allows.
    fn run(&self, command: &str) {
        let message = self.home.send(&self.own, &format!("run: {command}"));
        self.home.wait(&self.own, "waiting");
        let request = self.home.json(&["permissions", &self.own])[0].clone();
        self.home.ok(&["allow", &text_of(&request, "id")]);
        self.home.wait_message(&self.own, &message, "done");
    }

    /// The person's session is as it was.
    fn assert_untouched(&self) {
        let session = self.home.session(&self.other);
        assert_eq!(session["status"], "waiting");
        assert_eq!(session["attention"]["permissionId"], json!(self.request));
        assert_eq!(session["queuePaused"], Value::Null);
        assert_eq!(self.home.queued_texts(&self.other).len(), 1);
        assert!(!self.home.project("other").join("made.txt").exists());
        assert_eq!(self.home.sessions().len(), 2, "no session was created or removed");
    }

    /// Every command that rules the person's session or its own.
    fn commands(&self) -> Value {
        let (other, own, request) = (&self.other, &self.own, &self.request);
        let directory = self.project.to_str().unwrap();
        let made = self.project.join("pwned");
        json!({
            "allow": ["allow", request, "--always"],
            "deny": ["deny", request],
            "answer": ["answer", request, "1"],
            "new": ["new", directory, "--permission-mode", "bypassPermissions", "-m",
                    format!("run: touch {}", made.display())],
            "send": ["send", other, "run: touch made.txt"],
            "send to itself": ["send", own, "run: touch made.txt"],
            "steer": ["steer", other, "run: touch made.txt"],
            "logs": ["logs", other],
            "show": ["show", other],
            "queue": ["queue", other],
            "permissions": ["permissions", other],
            "terminate": ["terminate", other],
            "terminate itself": ["terminate", own],
            "rm": ["rm", other],
            "rename": ["rename", other, "mine"],
            "interrupt": ["interrupt", other],
            "restart": ["restart", other],
            "restart itself": ["restart", own],
            "switch": ["switch-driver", own, "terminal"],
            "pause": ["queue", "pause", other],
            "pause itself": ["queue", "pause", own],
            "clear": ["queue", "clear", other],
            "note": ["note", "--session", other, "hello"],
            "audit": ["audit"],
            "status": ["daemon", "status"],
            "stop": ["daemon", "stop"],
            "stop all": ["daemon", "stop", "--sessions"],
        })
    }

    fn requests(&self) -> Value {
        let directory = self.project.to_str().unwrap();
        json!({
            "raw answer": ["areyouj/permission/answer",
                {"requestId": "1", "permissionId": self.request, "answer": {"decision": "allow"}}],
            "raw read": ["areyouj/session/read", {"sessionId": self.other}],
            "raw attach": ["areyouj/session/attach", {"sessionId": self.other}],
            "raw directories": ["areyouj/directory/list", {"path": "/"}],
            "raw create": ["areyouj/session/create", {"requestId": "2", "directory": directory, "environment": {}}],
            "raw stop": ["areyouj/daemon/stop", {}],
        })
    }
}

/// The outcome of each attempt, once the script has tried all.
fn outcomes(of: &Receiver<String>) -> BTreeMap<String, Value> {
    serde_json::from_str(&of.recv_timeout(EVENT_TIMEOUT).unwrap()).unwrap()
}

fn assert_all(outcomes: &BTreeMap<String, Value>, expected: &str) {
    let others: BTreeMap<_, _> = outcomes.iter().filter(|(_, outcome)| **outcome != expected).collect();
    assert_eq!(others, BTreeMap::new(), "of {} attempts", outcomes.len());
}

fn everything_is_refused(driver: &str) {
    let scene = Scene::new(driver);
    let (home, own) = (&scene.home, &scene.own);
    let evil = scene.project.join("evil");
    fs::write(&evil, format!("#!/bin/sh\ntouch {}\n", scene.project.join("pwned").display())).unwrap();
    let new = ["new", scene.project.to_str().unwrap()];
    let attempts = scene.plan(
        "attempts",
        json!({
            "commands": scene.commands(),
            "with": {"evil": [{"AREYOUJ_CLAUDE": evil, "PATH": scene.project}, new]},
            "raw": scene.requests(),
            "sidecar": {
                "lsp answer": ["areyouj/permission/answer",
                    {"requestId": "3", "permissionId": scene.request, "answer": {"decision": "allow"}}],
                "lsp get": ["areyouj/session/get", {"sessionId": scene.other}],
            },
        }),
    );
    let allowed = scene.plan(
        "allowed",
        json!({
            "commands": {
                "show": ["show", own], "logs": ["logs", own], "queue": ["queue", own],
                "permissions": ["permissions"], "note": ["note", "half done"],
            },
            "raw": {"read": ["areyouj/session/read", {}], "attach": ["areyouj/session/attach", {}]},
            "sidecar": {"lsp get": ["areyouj/session/get", {}]},
            "list": true,
        }),
    );
    let orphan = scene.plan(
        "orphan",
        json!({
            "commands": scene.commands(), "raw": scene.requests(), "orphan": true, "bare": true,
        }),
    );
    let begin = scene.project.join("go");
    let survivor = scene.plan(
        "survivor",
        json!({
            "commands": scene.commands(), "orphan": true, "bare": true, "wait_for": begin,
        }),
    );
    scene.run(
        "python3 hostile.py attempts && python3 hostile.py allowed && env -i python3 hostile.py orphan \
         && nohup env -i python3 hostile.py survivor",
    );
    assert_all(&outcomes(&attempts), "inside_session");
    let mut allowed = outcomes(&allowed);
    let list = allowed.remove("list").unwrap();
    let listed: Vec<String> = list.as_array().unwrap().iter().map(|session| text_of(session, "id")).collect();
    assert_eq!(listed, std::slice::from_ref(own));
    assert_all(&allowed, "ok");
    assert_all(&outcomes(&orphan), "inside_session");
    home.wait(own, "idle");
    fs::write(&begin, "").unwrap();
    assert_all(&outcomes(&survivor), "inside_session");
    scene.assert_untouched();
    assert!(!scene.project.join("pwned").exists());

    let session = home.session(own);
    assert!(session["refusals"]["count"].as_u64().unwrap() > 60, "{session}");
    assert_eq!(session["refusals"]["unread"], true);
    assert!(home.ok(&["ls"]).contains("! refused"));
    assert!(home.ok(&["show", own]).contains("tried to"));
    let notices = home.transcript(own).iter().map(|entry| entry["body"].to_string()).collect::<Vec<_>>();
    let shown = |text: &str| notices.iter().filter(|notice| notice.contains(text)).count();
    assert_eq!(shown("AreYouJ refused it."), 1, "{notices:#?}");
    assert_eq!(shown(&format!("Note from a process inside session {own}: half done")), 1, "{notices:#?}");
    assert_eq!(home.session(&scene.other)["refusals"], Value::Null);

    let trail = home.json(&["audit", own]);
    let refused: Vec<&Value> =
        trail.as_array().unwrap().iter().filter(|entry| entry["outcome"] == "inside_session").collect();
    for operation in
        ["permission/answer", "session/create", "session/terminate", "daemon/stop", "queue/pause"]
    {
        let entry = refused.iter().find(|entry| entry["operation"] == operation).unwrap();
        assert_eq!((&entry["actor"], &entry["actorSessionId"]), (&json!("session"), &json!(own)), "{entry}");
        assert!(entry["count"].as_u64().unwrap() >= 1 && entry["pid"].as_i64().unwrap() > 0, "{entry}");
    }
    let decision = trail
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["operation"] == "permission/answer" && entry["outcome"] == "ok");
    let decision = decision.unwrap();
    assert_eq!(decision["actor"], "person");
    assert!(text_of(decision, "detail").ends_with(": allow"), "{decision}");
    assert!(text_of(decision, "program").ends_with("areyouj"), "{decision}");
}

#[test]
fn a_script_in_a_stream_session_rules_nothing() {
    everything_is_refused("stream");
}

#[test]
fn a_script_in_a_terminal_session_rules_nothing() {
    everything_is_refused("terminal");
}

#[test]
fn a_process_that_kills_its_own_host_ends_with_it_and_rules_nothing() {
    let scene = Scene::new("stream");
    let (home, own) = (&scene.home, &scene.own);
    let host = home.session(own)["hostPid"].clone();
    let requests = scene.requests();
    let killer = scene.plan(
        "killer",
        json!({
            "commands": scene.commands(), "raw": requests, "orphan": true, "bare": true, "kill": host,
        }),
    );
    // Its path is how it is found.
    let script = scene.project.join("hostile.py");
    let message = home.send(own, &format!("run: env -i python3 {} killer; sleep 30", script.display()));
    home.wait(own, "waiting");
    let request = home.json(&["permissions", own])[0].clone();
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(own, &message, "interrupted");
    // The daemon ends it, at the latest after some of its attempts, all of which are refused.
    let is_over = |process: &Process| !process.command.contains("hostile.py killer");
    let end = Instant::now() + EVENT_TIMEOUT;
    while !processes::of_home(home.path()).iter().all(is_over) {
        assert!(Instant::now() < end, "the process outlives its host");
        thread::park_timeout(Duration::from_millis(20));
    }
    if let Ok(outcomes) = killer.try_recv() {
        let outcomes: BTreeMap<String, Value> = serde_json::from_str(&outcomes).unwrap();
        assert_all(&outcomes, "inside_session");
    }
    scene.assert_untouched();
}

#[test]
fn a_process_inside_a_session_starts_no_daemon_of_the_same_home() {
    let scene = Scene::new("stream");
    let (home, begin) = (&scene.home, scene.project.join("go"));
    let elsewhere = home.project("elsewhere");
    let starter = scene.plan(
        "starter",
        json!({
            "commands": {"ls": ["ls"], "start": ["daemon", "start"], "restart": ["daemon", "restart"],
                         "run": ["daemon", "run"]},
            "orphan": true, "bare": true, "wait_for": begin,
        }),
    );
    let another = scene.plan(
        "another",
        json!({
            "with": {"start": [{"AREYOUJ_HOME": elsewhere}, ["daemon", "start"]],
                     "stop": [{"AREYOUJ_HOME": elsewhere}, ["daemon", "stop"]]},
        }),
    );
    scene.run("python3 hostile.py starter && python3 hostile.py another");
    assert_all(&outcomes(&another), "ok");
    home.ok(&["daemon", "stop"]);
    fs::write(&begin, "").unwrap();
    let outcomes = outcomes(&starter);
    for name in ["ls", "start", "restart"] {
        assert_eq!(outcomes[name], "daemon_unavailable", "{outcomes:?}");
    }
    assert_eq!(outcomes["run"], "exit 1");
    assert_eq!(home.json(&["daemon", "status"])["running"], false);
    scene.assert_untouched();
}

#[test]
fn a_grant_lets_a_session_create_one_that_has_no_more_than_itself() {
    let home = TestHome::new();
    fs::create_dir_all(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/config.toml"), "from_sessions = [\"create\"]\n").unwrap();
    let project = home.project("project");
    fs::write(project.join("hostile.py"), SCRIPT).unwrap();
    let cli = home.cli.clone().with("MARK", "of the person").within(&project);
    let own = home.expect(cli.run(&["new", "--permission-mode", "acceptEdits"])).stdout.trim().to_owned();
    home.wait(&own, "idle");
    let other = home.idle_session(&home.project("other"), &[]);
    let request = String::new();
    let scene = Scene { home, other, request, own, project };
    let child = scene.project.join("child");
    fs::create_dir_all(&child).unwrap();
    let evil = |mode: &str| {
        let variables = json!({"MARK": "evil", "AREYOUJ_CLAUDE": "/bin/false", "PATH": "/nonexistent"});
        json!([variables, ["new", child, "--permission-mode", mode, "--name", mode]])
    };
    let created = scene.plan(
        "creator",
        json!({
            "with": {"create": evil("acceptEdits"), "wider": evil("bypassPermissions")},
            "commands": {"read": ["show", scene.other], "end": ["terminate", scene.other]},
        }),
    );
    scene.run("python3 hostile.py creator");
    let outcomes = outcomes(&created);
    let expected = [
        ("create", "ok"),
        ("end", "inside_session"),
        ("read", "inside_session"),
        ("wider", "inside_session"),
    ];
    assert_eq!(outcomes, expected.map(|(name, outcome)| (name.to_owned(), json!(outcome))).into());
    let home = &scene.home;
    let sessions = home.json(&["ls"]);
    let created =
        sessions.as_array().unwrap().iter().find(|session| session["name"] == "acceptEdits").unwrap();
    let id = text_of(created, "id");
    home.wait(&id, "idle");
    let message = home.send(&id, "run: echo \"$MARK\" > mark.txt");
    home.wait(&id, "waiting");
    home.ok(&["allow", &text_of(&home.wait_permission_request(&id), "id")]);
    home.wait_message(&id, &message, "done");
    assert_eq!(fs::read_to_string(child.join("mark.txt")).unwrap(), "of the person\n");
}

#[test]
fn people_in_tmux_and_in_containers_do_everything_as_before() {
    let home = TestHome::with_stand_in("obedient");
    let id = home.idle_session(&home.project("project"), &[]);
    let terminal = home.expect(Terminal::open(&home.cli.directory, &home.cli.environment, (90, 28)));
    home.expect(terminal.type_text(&format!("areyouj rename {id} from-tmux\n")));
    home.expect(terminal.wait_for("is now named from-tmux", EVENT_TIMEOUT));
    let trail = home.json(&["audit", &id]);
    let entry =
        trail.as_array().unwrap().iter().find(|entry| entry["operation"] == "session/rename").unwrap();
    assert!(text_of(entry, "terminal").starts_with("pts/"), "{entry}");
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can make PID namespaces");
        return;
    }
    let contained = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
            .arg(&home.cli.program)
            .args(arguments);
        command.env_clear().envs(&home.cli.environment).current_dir(&home.cli.directory);
        command
    };
    assert!(contained(&["rename", &id, "from-a-container"]).status().unwrap().success());
    assert_eq!(home.session(&id)["name"], "from-a-container");

    // The daemon in a namespace does not see the process ids of clients outside.
    home.ok(&["daemon", "stop"]);
    let mut daemon = contained(&["daemon", "run"]).stdout(Stdio::null()).spawn().unwrap();
    let running = || Ok((home.json(&["daemon", "status"])["running"] == true).then_some(()));
    home.until("the daemon runs", running);
    home.ok(&["rename", &id, "from-outside"]);
    let trail = home.json(&["audit", &id]);
    assert_eq!((&trail[0]["actor"], &trail[0]["pid"]), (&json!("person"), &json!(0)), "{trail}");
    home.ok(&["daemon", "stop"]);
    daemon.wait().unwrap();
}
