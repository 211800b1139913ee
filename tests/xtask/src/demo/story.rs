//! The steps of the demo: three projects, three sessions, a permission request, and a killed daemon.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use areyouj_tests::claude::claude_program;
use areyouj_tests::cli::Run;
use areyouj_tests::home::rows;
use areyouj_tests::messages_api::MessagesApi;
use areyouj_tests::processes;
use areyouj_tests::sandbox::Sandbox;
use serde_json::Value;

use super::board::Board;
use super::signals;
use crate::cargo;

/// The deadline for every step.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// A project folder, the messages for Claude, and the expected files.
struct Project {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    permission_mode: &'static str,
    /// The messages, each with the script for the API.
    messages: &'static [(&'static str, &'static str)],
    made: &'static [&'static str],
}

/// Sent while no daemon is running: the command line starts a new one and loses nothing.
const LATE: (&str, &str) = ("Count the words of the project", "run: cat *.txt *.md | wc -w > words.count");

static PROJECTS: [Project; 3] = [
    Project {
        name: "webshop",
        files: &[
            ("README.md", "# Webshop\nSells fruit.\n"),
            ("prices.txt", "apple 1.20\npear 0.90\nplum 0.35\n"),
        ],
        permission_mode: "bypassPermissions",
        messages: &[
            ("Explain how prices are rounded", "slow: 60 … and that is how prices are rounded."),
            ("Sort the price list", "run: sort -k2 -n prices.txt > prices.sorted"),
            ("Write a test for it", "run: printf '#!/bin/sh\\nsort -c -k2 -n prices.sorted\\n' > test.sh"),
            ("Run the test", "run: sh test.sh && echo passed > test.result"),
            ("Write the changelog", "run: echo '- prices are sorted and tested' > CHANGELOG.md"),
        ],
        made: &["prices.sorted", "test.sh", "test.result", "CHANGELOG.md", "words.count"],
    },
    Project {
        name: "weather",
        files: &[("README.md", "# Weather\n"), ("cache.txt", "yesterday: rain\n")],
        permission_mode: "default",
        messages: &[("Replace the old forecast", "run: echo 'today: sun' > forecast.txt")],
        made: &["forecast.txt"],
    },
    Project {
        name: "notes",
        files: &[("README.md", "# Notes\n"), ("monday.txt", "buy plums\n"), ("tuesday.txt", "bake\n")],
        permission_mode: "bypassPermissions",
        messages: &[
            ("Which days have notes?", "slow: 30 Monday and Tuesday have notes."),
            ("Make one page of them", "run: cat monday.txt tuesday.txt > week.md"),
        ],
        made: &["week.md"],
    },
];

/// All messages, each with its script.
fn messages() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROJECTS.iter().flat_map(|project| project.messages.iter().copied()).chain([LATE])
}

/// The session of a project.
struct Session {
    project: &'static Project,
    directory: PathBuf,
    id: String,
}

pub(super) fn run() -> Result<()> {
    let claude = claude_program()?;
    let programs = cargo::build_programs()?;
    let signals = signals::block()?;
    let api = MessagesApi::start()?;
    for (prompt, script) in messages() {
        api.set_script(prompt, script);
    }
    let sandbox = Arc::new(Sandbox::isolated(api.url(), &claude, &programs)?);
    signals.close(&sandbox)?;
    let board = Board::show(&sandbox)?;
    let result = run_steps(&sandbox, &api, &board);
    let time = board.elapsed();
    drop(board);
    let diagnosis = result.as_ref().err().map(|_| sandbox.diagnosis());
    let closed = sandbox.close();
    if let Some(diagnosis) = diagnosis {
        eprintln!("{diagnosis}");
    }
    let summary = result?;
    closed?;
    summary.print(time);
    ensure!(summary.is_perfect(), "something went wrong");
    Ok(())
}

fn run_steps(sandbox: &Sandbox, api: &MessagesApi, board: &Board) -> Result<Summary> {
    let cli = &sandbox.cli;
    board.say("Three projects, one session each, all at once.");
    let mut sessions = Vec::new();
    for project in &PROJECTS {
        let directory = sandbox.project(project.name)?;
        for (name, text) in project.files {
            fs::write(directory.join(name), text)?;
        }
        let path = directory.to_str().context("the path of the temporary directory is not UTF-8")?;
        let arguments = ["new", path, "--name", project.name, "--permission-mode", project.permission_mode];
        let id = cli.run(&arguments)?.success()?.stdout.trim().to_owned();
        for (prompt, _) in project.messages {
            cli.run(&["send", &id, prompt])?.success()?;
        }
        sessions.push(Session { project, directory, id });
    }
    board.say("Claude is working; the other messages wait in the queues.");

    let asking = &sessions[1];
    let request = sandbox.until("the permission request is open", EVENT_TIMEOUT, || {
        let requests = rows(&cli.json(&["permissions", &asking.id])?, "permissions");
        Ok(requests.first().and_then(|request| request["id"].as_str()).map(str::to_owned))
    })?;
    board.say(&format!("{} asks for permission. The request stays open for now.", asking.project.name));
    for busy in [&sessions[0], &sessions[2]] {
        api.wait_for_prompt(busy.project.messages[0].0, EVENT_TIMEOUT)?;
    }

    let before = processes_of(sandbox, &sessions)?;
    let daemon = cli.json(&["daemon", "status"])?["pid"].as_i64().context("no daemon")?;
    let daemon = i32::try_from(daemon)?;
    processes::kill(daemon)?;
    processes::wait_for_exit(daemon, EVENT_TIMEOUT);
    board.say(&format!("The daemon ({daemon}) was killed with SIGKILL, during two turns."));
    cli.run(&["send", &sessions[0].id, LATE.0])?.success()?;
    let successor = &cli.json(&["daemon", "status"])?["pid"];
    let after = processes_of(sandbox, &sessions)?;
    let kept = before.iter().zip(&after).filter(|(before, after)| before == after).count();
    board.say(&format!("One more message was sent, which started a new daemon ({successor})."));
    board.say(&format!("{kept} of {} sessions still have the same processes.", sessions.len()));

    cli.run(&["allow", &request])?.success()?;
    board.say("The permission request is still open, and is now allowed.");
    for session in &sessions {
        let seconds = EVENT_TIMEOUT.as_secs().to_string();
        cli.run_within(&["wait", &session.id, "--timeout", &seconds], 2 * EVENT_TIMEOUT)
            .and_then(Run::success)?;
    }
    board.say("Everything is done.");

    summarise(sandbox, api, &sessions, kept)
}

/// The processes of each session: Claude and its host.
fn processes_of(sandbox: &Sandbox, sessions: &[Session]) -> Result<Vec<(Value, Value)>> {
    sessions
        .iter()
        .map(|session| {
            let shown = sandbox.cli.json(&["show", &session.id])?;
            ensure!(shown["pid"].is_u64(), "{} has no process", session.project.name);
            Ok((shown["pid"].clone(), shown["hostPid"].clone()))
        })
        .collect()
}

/// The results of the demo.
struct Summary {
    sent: usize,
    done: usize,
    lost: Vec<String>,
    duplicated: Vec<String>,
    sessions: usize,
    kept: usize,
    missing: Vec<String>,
    files: usize,
}

fn summarise(sandbox: &Sandbox, api: &MessagesApi, sessions: &[Session], kept: usize) -> Result<Summary> {
    let mut done = Vec::new();
    let mut missing = Vec::new();
    for session in sessions {
        let messages = rows(&sandbox.cli.json(&["queue", &session.id, "--all"])?, "messages");
        done.extend(
            messages.into_iter().filter(|message| message["state"] == "done").map(|m| m["text"].clone()),
        );
        let gone = session.project.made.iter().filter(|name| !session.directory.join(name).is_file());
        missing.extend(gone.map(|name| format!("{}/{name}", session.project.name)));
    }
    let sent: Vec<&str> = PROJECTS
        .iter()
        .flat_map(|project| project.messages)
        .chain([&LATE])
        .map(|(prompt, _)| *prompt)
        .collect();
    let of = |wrong: &dyn Fn(&str) -> bool| -> Vec<String> {
        sent.iter().filter(|prompt| wrong(prompt)).map(|prompt| (*prompt).to_owned()).collect()
    };
    Ok(Summary {
        sent: sent.len(),
        done: done.len(),
        lost: of(&|prompt| api.prompt_count_of(prompt) == 0 || !done.iter().any(|text| text == prompt)),
        duplicated: of(&|prompt| api.prompt_count_of(prompt) > 1),
        sessions: sessions.len(),
        kept,
        missing,
        files: PROJECTS.iter().map(|project| project.made.len()).sum(),
    })
}

impl Summary {
    fn is_perfect(&self) -> bool {
        self.done == self.sent
            && self.lost.is_empty()
            && self.duplicated.is_empty()
            && self.kept == self.sessions
            && self.missing.is_empty()
    }

    fn print(&self, time: Duration) {
        println!();
        println!(
            "messages  {} sent, {} done, {} lost, {} duplicated",
            self.sent,
            self.done,
            self.lost.len(),
            self.duplicated.len()
        );
        println!("sessions  {} of {} kept their processes without a daemon", self.kept, self.sessions);
        println!("requests  1 opened before the daemon was killed, answered afterwards");
        println!("files     {} of {} made", self.files - self.missing.len(), self.files);
        println!("time      {:.1} s", time.as_secs_f64());
        println!("left      nothing: no process, no file");
        for (what, names) in
            [("lost", &self.lost), ("duplicated", &self.duplicated), ("missing", &self.missing)]
        {
            for name in names {
                println!("{what}: {name}");
            }
        }
    }
}
