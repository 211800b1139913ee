//! The display: the table of sessions, redrawn on a terminal, or printed as plain lines otherwise.

use std::collections::HashMap;
use std::io::{IsTerminal, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use areyouj_tests::home::rows;
use areyouj_tests::sandbox::Sandbox;
use areyouj_tests::watch::Watch;
use serde_json::Value;

/// How long the table waits for changes before it checks whether the demo has ended.
const NEWS: Duration = Duration::from_millis(200);

/// The number of log lines above the table.
const STORY_LINES: usize = 12;

/// Column widths for the contents of the demo and for a small terminal.
const NAME_WIDTH: usize = 12;
const TASK_WIDTH: usize = 40;

/// The board, and the thread that keeps its table up to date.
pub(super) struct Board {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    picture: Mutex<Picture>,
    over: AtomicBool,
}

struct Picture {
    began: Instant,
    terminal: bool,
    colour: bool,
    story: Vec<String>,
    sessions: Vec<Value>,
    drawn_lines: usize,
    printed: HashMap<String, String>,
}

impl Board {
    /// Starts displaying the sessions of this sandbox.
    pub(super) fn show(sandbox: &Arc<Sandbox>) -> Result<Board> {
        let terminal = stdout().is_terminal();
        let shared = Arc::new(Shared {
            over: AtomicBool::new(false),
            picture: Mutex::new(Picture {
                began: Instant::now(),
                terminal,
                colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
                story: Vec::new(),
                sessions: Vec::new(),
                drawn_lines: 0,
                printed: HashMap::new(),
            }),
        });
        let (for_thread, sandbox) = (Arc::clone(&shared), Arc::clone(sandbox));
        let thread =
            thread::Builder::new().name("table".into()).spawn(move || for_thread.follow(&sandbox))?;
        Ok(Board { shared, thread: Some(thread) })
    }

    /// Prints a line about the current step.
    pub(super) fn say(&self, line: &str) {
        let mut picture = self.shared.picture();
        let line = format!("{:>5.1} s  {line}", picture.began.elapsed().as_secs_f64());
        if !picture.terminal {
            println!("{line}");
        }
        picture.story.push(line);
        picture.draw();
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.shared.picture().began.elapsed()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, sandbox: &Sandbox) {
        let mut watch = None;
        while !self.over.load(Ordering::Relaxed) {
            watch = watch.or_else(|| Watch::open(sandbox.home(), NEWS).ok());
            match &mut watch {
                // An error can mean that the daemon has exited: then a new watch is necessary.
                Some(listening) => {
                    self.look(sandbox);
                    if listening.wait_for_change(NEWS).is_err() {
                        watch = None;
                    }
                }
                None => thread::park_timeout(NEWS),
            }
        }
    }

    fn look(&self, sandbox: &Sandbox) {
        // Without a response, for example after a kill of the daemon, the table does not change.
        if let Ok(list) = sandbox.cli.json(&["ls"]) {
            let mut picture = self.picture();
            picture.sessions = rows(&list, "sessions");
            // Rows in the order of creation are more stable.
            picture.sessions.reverse();
            picture.draw();
        }
    }
}

impl Picture {
    fn draw(&mut self) {
        if !self.terminal {
            return self.print_changes();
        }
        let mut lines: Vec<String> =
            self.story.iter().skip(self.story.len().saturating_sub(STORY_LINES)).cloned().collect();
        lines.push(String::new());
        lines.push(format!(
            "{:8}  {:NAME_WIDTH$}  {:10}  {:>5}  {:>8}  CURRENT TASK",
            "SESSION", "PROJECT", "STATUS", "QUEUE", "PID"
        ));
        lines.extend(self.sessions.iter().map(|session| self.row(session)));
        let mut out = stdout().lock();
        let up = if self.drawn_lines > 0 { format!("\x1b[{}A", self.drawn_lines) } else { String::new() };
        // A write error on the terminal must not end the demo.
        let _ = write!(out, "{up}\r\x1b[J{}\n", lines.join("\n"));
        let _ = out.flush();
        self.drawn_lines = lines.len();
    }

    fn print_changes(&mut self) {
        for session in &self.sessions {
            let line = self.row(session);
            if self.printed.get(text(session, "id")) != Some(&line) {
                println!("         {line}");
                self.printed.insert(text(session, "id").to_owned(), line);
            }
        }
    }

    fn row(&self, session: &Value) -> String {
        let status = text(session, "status");
        let colour = match status {
            "active" => "32",
            "waiting" => "33",
            "error" => "31",
            "starting" => "36",
            _ => "2",
        };
        let (on, off) =
            if self.colour { (format!("\x1b[{colour}m"), "\x1b[0m") } else { (String::new(), "") };
        let task: String = text(session, "currentTask").chars().take(TASK_WIDTH).collect();
        let pid = session["pid"].as_u64().map(|pid| pid.to_string()).unwrap_or_default();
        format!(
            "{:8}  {:NAME_WIDTH$}  {on}{status:10}{off}  {:>5}  {pid:>8}  {task}",
            text(session, "id"),
            text(session, "name"),
            session["queued"].as_u64().unwrap_or_default(),
        )
    }
}

fn text<'a>(session: &'a Value, member: &str) -> &'a str {
    session[member].as_str().unwrap_or_default()
}
