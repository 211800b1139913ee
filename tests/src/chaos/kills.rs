//! Kills processes at random moments under load: the daemon, clients, Claude, hosts, and everything at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Trial;
use super::arena::{Arena, EVENT_TIMEOUT, SessionState};
use super::ledger::Rules;
use super::load::{Load, Tolerance};
use crate::home::{rows, text_of};
use crate::processes;

/// The longest time between a recovery and the next kill.
const KILL_INTERVAL: Duration = Duration::from_millis(500);

/// The time within which a daemon must be ready again.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// The time within which Claude must exit after its host.
const CLAUDE_EXIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of additional sessions that the limit allows.
const SPARE_SESSIONS: u32 = 4;

/// Claude was killed, so messages can be interrupted.
const INTERRUPTIONS: Rules = Rules { interruptions: true, clock: false };

/// The numbers of sessions that receive messages, sessions with an open permission request, and clients.
pub(super) struct Size {
    pub(super) busy: usize,
    pub(super) waiting: usize,
    pub(super) producers: usize,
}

/// Sessions under load.
pub(super) struct Workload {
    /// Must be dropped before the arena when the trial fails, because each of its clients can start a daemon.
    pub(super) load: Load,
    pub(super) arena: Arena,
    pub(super) busy: Vec<String>,
    /// Sessions with an open permission request.
    waiting: Vec<String>,
    /// Sessions that were created later.
    later: Vec<String>,
    pub(super) before: HashMap<String, SessionState>,
}

impl Workload {
    pub(super) fn new(trial: &Trial, size: &Size, tolerance: Tolerance) -> Result<Workload> {
        let arena = Arena::new(u32::try_from(size.busy + size.waiting)? + SPARE_SESSIONS)?;
        Workload::within(arena, trial, size, tolerance, |_| Ok(()))
    }

    /// Starts the workload in an existing arena. `prepare` runs after the start of the sessions and before that of the
    /// load.
    pub(super) fn within(
        mut arena: Arena,
        trial: &Trial,
        size: &Size,
        tolerance: Tolerance,
        prepare: impl FnOnce(&mut Arena) -> Result<()>,
    ) -> Result<Workload> {
        let mut busy = arena.sessions(size.busy + size.waiting)?;
        let waiting = busy.split_off(size.busy);
        for (number, id) in waiting.iter().enumerate() {
            arena.ok(&["send", id, &question(number)])?;
        }
        for id in &waiting {
            arena.wait(id, "waiting")?;
        }
        let mut before = HashMap::new();
        for id in busy.iter().chain(&waiting) {
            before.insert(id.clone(), arena.session_state(id)?);
        }
        prepare(&mut arena)?;
        let load = Load::start(&arena, &busy, size.producers, trial.seed, tolerance);
        Ok(Workload { arena, busy, waiting, later: Vec::new(), load, before })
    }

    /// Includes these sessions in the final check.
    pub(super) fn also(&mut self, sessions: impl IntoIterator<Item = String>) {
        self.later.extend(sessions);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.busy.iter().chain(&self.waiting)
    }

    /// Checks that every session still has the same processes.
    pub(super) fn same_processes(&self, trial: &mut Trial, but: Option<&str>) -> Result<()> {
        for id in self.all().filter(|id| Some(id.as_str()) != but) {
            let (before, now) = (&self.before[id], self.arena.session_state(id)?);
            let same = (before.pid, before.host) == (now.pid, now.host);
            trial.must(same, || format!("session {id} was {before:?} and is {now:?}"));
        }
        Ok(())
    }

    /// Checks that every open permission request can still be answered, and that the answer takes effect once.
    fn answer_requests(&self, trial: &mut Trial) -> Result<()> {
        for (number, id) in self.waiting.iter().enumerate() {
            let open = rows(&self.arena.json(&["permissions", id])?, "permissions");
            trial.must(open.len() == 1, || format!("session {id} has these permission requests: {open:?}"));
            let Some(request) = open.first() else { continue };
            self.arena.ok(&["allow", &text_of(request, "id")])?;
            self.arena.wait(id, "idle")?;
            let directory = self.arena.project(&format!("project-{}", self.busy.len() + number))?;
            let output = std::fs::read_to_string(directory.join("answered")).unwrap_or_default();
            trial.must(output == "once\n", || format!("the tool of {id} printed {output:?}"));
            let count = self.arena.api.prompt_count_of(&question(number));
            trial.must(count == 1, || format!("the API received the prompt of {id} {count} times"));
        }
        trial.figure("permission requests that were still open and were answered", self.waiting.len());
        Ok(())
    }

    /// Decides about every interrupted message in one of the three ways, and waits for the end of all work.
    fn finish(&self, trial: &mut Trial) -> Result<()> {
        for id in self.all() {
            loop {
                let found = self.arena.until_session(id, "settles", |found| {
                    found.undecided.is_some() || matches!(found.status.as_str(), "idle" | "error" | "waiting")
                })?;
                if found.error.is_some() {
                    self.arena.ok(&["restart", id])?;
                } else if let Some(message) = &found.undecided {
                    self.decide(trial, message)?;
                } else {
                    let waiting = rows(&self.arena.json(&["queue", id])?, "messages");
                    if waiting.is_empty() || found.status == "waiting" {
                        break;
                    }
                    self.arena.until(&format!("the queue of {id} advances"), || {
                        let left = rows(&self.arena.json(&["queue", id])?, "messages");
                        Ok((left.len() < waiting.len() || self.arena.session_state(id)?.undecided.is_some())
                            .then_some(()))
                    })?;
                }
            }
        }
        Ok(())
    }

    /// A random session that receives messages.
    pub(super) fn any_busy(&self, trial: &mut Trial) -> String {
        self.busy[trial.random.usize(..self.busy.len())].clone()
    }

    /// Waits until this session has a Claude that can be killed.
    pub(super) fn running(&self, id: &str) -> Result<SessionState> {
        self.arena.until_session(id, "is running", |found| {
            matches!(found.status.as_str(), "idle" | "active" | "waiting") && found.pid.is_some()
        })
    }

    /// Kills all processes at once, including clients, until none are left.
    pub(super) fn kill_all(&self) -> Result<()> {
        self.load.set_down(true);
        // Processes that start during the kills are killed in the next pass, as in a crash of the machine.
        let left = processes::kill_all(self.arena.home(), EVENT_TIMEOUT);
        ensure!(left.is_empty(), "{left:?} do not exit");
        Ok(())
    }

    /// Waits until every session has resumed its conversation or has an error, and decides about interrupted messages.
    /// Returns the number of resumed sessions.
    pub(super) fn all_back(&self, trial: &mut Trial) -> Result<u32> {
        let mut resumed = 0;
        for id in self.all() {
            let conversation = &self.before[id].conversation;
            let now = self.arena.until_session(id, "is resumed or has an error", |found| {
                matches!(found.status.as_str(), "idle" | "active" | "waiting") && found.pid.is_some()
                    || found.status == "error" && found.error.is_some()
            })?;
            trial.must(now.conversation == *conversation && now.status != "error", || {
                format!("session {id} had the conversation {conversation} and is now {now:?}")
            });
            resumed += u32::from(now.status != "error");
            if let Some(message) = &now.undecided {
                self.decide(trial, message)?;
            }
        }
        Ok(resumed)
    }

    /// Shows how many sessions resumed in all rounds.
    pub(super) fn show_resumed(&self, trial: &mut Trial, resumed: u32) {
        let all = trial.rounds as usize * self.before.len();
        trial.figure("sessions resumed", format!("{resumed} of {all}"));
    }

    /// The command fails if another decision was made in the meantime, which is not an error.
    pub(super) fn decide(&self, trial: &mut Trial, message: &str) -> Result<()> {
        let choice = ["again", "skip", "continue"][trial.random.usize(..3)];
        self.arena.cli.run(&["queue", choice, message]).map(drop)
    }

    /// Compares the responses to clients with the final state, and ends all processes.
    pub(super) fn close(mut self, trial: &mut Trial, rules: Rules) -> Result<()> {
        self.load.stop();
        self.finish(trial)?;
        if !rules.interruptions {
            self.same_processes(trial, None)?;
            self.answer_requests(trial)?;
        }
        let sessions: Vec<String> = self.all().chain(&self.later).cloned().collect();
        let balance = self.load.ledger.balance(&self.arena, &sessions, rules)?;
        trial.figure("messages acknowledged", balance.acknowledged);
        trial.figure("messages done", balance.done);
        if rules.interruptions {
            trial.figure("messages reported as interrupted", balance.interrupted);
        }
        trial.figure("messages lost, duplicated, out of order or misdirected", balance.violations.len());
        trial.must(balance.acknowledged > 0, || "nothing was sent, so the result is meaningless".to_owned());
        trial.report.violations.extend(balance.violations);
        self.arena.close()
    }
}

/// A message that makes Claude open a permission request.
fn question(number: usize) -> String {
    format!("run: echo once >> answered # {number}")
}

pub(super) fn daemon(trial: &mut Trial) -> Result<()> {
    let size = if trial.full {
        Size { busy: 15, waiting: 5, producers: 10 }
    } else {
        Size { busy: 3, waiting: 1, producers: 3 }
    };
    let workload = Workload::new(trial, &size, Tolerance::Nothing)?;
    trial.figure("sessions, clients", format!("{}, {}", size.busy + size.waiting, size.producers));
    let mut ready = Vec::new();
    let mut late = 0;
    for _ in 0..trial.rounds {
        trial.any_moment(KILL_INTERVAL);
        let daemon = workload.arena.daemon()?;
        let killed = Instant::now();
        workload.arena.kill(daemon)?;
        workload.arena.response_time()?;
        ready.push(killed.elapsed());
        late += u32::from(killed.elapsed() > READY_TIMEOUT);
    }
    trial.figure("kills of the daemon", trial.rounds);
    trial.times("from the kill to the next answer", &mut ready);
    trial.figure("of them after more than a second", late);
    workload.close(trial, Rules::default())
}

pub(super) fn clients(trial: &mut Trial) -> Result<()> {
    let size = if trial.full {
        Size { busy: 8, waiting: 2, producers: 10 }
    } else {
        Size { busy: 2, waiting: 1, producers: 4 }
    };
    let workload = Workload::new(trial, &size, Tolerance::Kills)?;
    let mut killed = 0;
    while killed < trial.rounds {
        trial.any_moment(KILL_INTERVAL / 10);
        let clients = workload.load.clients();
        if clients.is_empty() {
            continue;
        }
        // The client can have exited just now; then this does not count.
        killed += u32::from(processes::kill(clients[trial.random.usize(..clients.len())]).is_ok());
    }
    trial.figure("clients killed during a request", killed);
    workload.close(trial, Rules::default())
}

pub(super) fn claude(trial: &mut Trial) -> Result<()> {
    let mut workload = Workload::new(trial, &under_kills(trial), Tolerance::Nothing)?;
    for _ in 0..trial.rounds {
        trial.any_moment(KILL_INTERVAL);
        let id = workload.any_busy(trial);
        let before = workload.running(&id)?;
        workload.arena.kill(before.pid.context("it has no Claude")?)?;
        wait_recovered(trial, &mut workload, &id, &before)?;
    }
    trial.figure("kills of Claude", trial.rounds);
    workload.close(trial, INTERRUPTIONS)
}

pub(super) fn host(trial: &mut Trial) -> Result<()> {
    let mut workload = Workload::new(trial, &under_kills(trial), Tolerance::Nothing)?;
    for _ in 0..trial.rounds {
        trial.any_moment(KILL_INTERVAL);
        let id = workload.any_busy(trial);
        let before = workload.running(&id)?;
        workload.arena.kill(before.host.context("it has no host")?)?;
        let claude = before.pid.context("it has no Claude")?;
        let gone = processes::wait_for_exit(claude, CLAUDE_EXIT_TIMEOUT);
        trial.must(gone, || {
            format!("Claude {claude} of {id} was still running {CLAUDE_EXIT_TIMEOUT:?} after its host")
        });
        wait_recovered(trial, &mut workload, &id, &before)?;
        workload.same_processes(trial, Some(&id))?;
    }
    trial.figure("kills of a host", trial.rounds);
    workload.close(trial, INTERRUPTIONS)
}

pub(super) fn everything(trial: &mut Trial) -> Result<()> {
    let workload = Workload::new(trial, &under_kills(trial), Tolerance::Kills)?;
    let mut resumed = 0;
    for _ in 0..trial.rounds {
        trial.any_moment(2 * KILL_INTERVAL);
        workload.kill_all()?;
        workload.load.set_down(false);
        resumed += workload.all_back(trial)?;
    }
    trial.figure("times that all processes were killed", trial.rounds);
    workload.show_resumed(trial, resumed);
    workload.close(trial, INTERRUPTIONS)
}

/// These trials start real Claudes repeatedly, so the number of sessions is that of a normal user.
fn under_kills(trial: &Trial) -> Size {
    if trial.full {
        Size { busy: 6, waiting: 0, producers: 6 }
    } else {
        Size { busy: 2, waiting: 0, producers: 3 }
    }
}

/// Waits until a session has resumed its conversation, and decides about an interrupted message.
fn wait_recovered(trial: &mut Trial, workload: &mut Workload, id: &str, before: &SessionState) -> Result<()> {
    let mut restarted = false;
    let now = loop {
        let now = workload.arena.until_session(id, "is running again, or needs a person", |found| {
            let runs = matches!(found.status.as_str(), "idle" | "active" | "waiting");
            runs && found.pid.is_some() && found.pid != before.pid || found.status == "error"
        })?;
        if now.error.as_deref() != Some("crashed_too_often") || restarted {
            break now;
        }
        // By design, a person must restart the session.
        workload.arena.ok(&["restart", id])?;
        restarted = true;
    };
    trial.must(now.error.is_none() && now.conversation == before.conversation, || {
        format!("session {id} was {before:?} and is {now:?}")
    });
    if let Some(message) = &now.undecided {
        workload.decide(trial, message)?;
    }
    workload.before.insert(id.to_owned(), now);
    Ok(())
}
