//! Kills -9 at random moments under load: of the daemon, clients, Claude, hosts, and of everything at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Trial;
use super::arena::{Arena, Found, PATIENCE};
use super::ledger::Rules;
use super::load::{Fate, Load};
use crate::home::{rows, text_of};
use crate::processes;

/// The longest time between a recovery and the next kill.
const BETWEEN: Duration = Duration::from_millis(500);

/// A daemon is ready again within this.
const READY_AGAIN: Duration = Duration::from_secs(1);

/// Claude is gone when its host has been gone for this long.
const LINGER: Duration = Duration::from_secs(5);

/// Sessions that there is room for besides.
const SPARE: u32 = 4;

/// Claude was killed.
const CUTS: Rules = Rules { cuts: true, clock: false };

/// Sessions that talk, sessions that ask, and clients.
pub(super) struct Size {
    pub(super) talking: usize,
    pub(super) asking: usize,
    pub(super) producers: usize,
}

/// Sessions under load.
pub(super) struct Field {
    /// Goes before the arena when the trial fails: each of its clients may start a daemon.
    pub(super) load: Load,
    pub(super) arena: Arena,
    pub(super) talking: Vec<String>,
    /// Each has an open prompt.
    asking: Vec<String>,
    /// Sessions that came later.
    later: Vec<String>,
    pub(super) before: HashMap<String, Found>,
}

impl Field {
    pub(super) fn new(trial: &Trial, size: &Size, fate: Fate) -> Result<Field> {
        let arena = Arena::new(u32::try_from(size.talking + size.asking)? + SPARE)?;
        Field::within(arena, trial, size, fate, |_| Ok(()))
    }

    /// In a place that was made, with something done between the start of the sessions and that of the load.
    pub(super) fn within(
        mut arena: Arena,
        trial: &Trial,
        size: &Size,
        fate: Fate,
        prepare: impl FnOnce(&mut Arena) -> Result<()>,
    ) -> Result<Field> {
        let mut talking = arena.sessions(size.talking + size.asking)?;
        let asking = talking.split_off(size.talking);
        for (number, id) in asking.iter().enumerate() {
            arena.ok(&["send", id, &question(number)])?;
        }
        for id in &asking {
            arena.wait(id, "waiting")?;
        }
        let mut before = HashMap::new();
        for id in talking.iter().chain(&asking) {
            before.insert(id.clone(), arena.find(id)?);
        }
        prepare(&mut arena)?;
        let load = Load::start(&arena, &talking, size.producers, trial.seed, fate);
        Ok(Field { arena, talking, asking, later: Vec::new(), load, before })
    }

    /// These sessions are there as well, for the final account.
    pub(super) fn also(&mut self, sessions: impl IntoIterator<Item = String>) {
        self.later.extend(sessions);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.talking.iter().chain(&self.asking)
    }

    /// Every session still has the processes that it had.
    pub(super) fn same_processes(&self, trial: &mut Trial, but: Option<&str>) -> Result<()> {
        for id in self.all().filter(|id| Some(id.as_str()) != but) {
            let (before, now) = (&self.before[id], self.arena.find(id)?);
            let same = (before.pid, before.host) == (now.pid, now.host);
            trial.must(same, || format!("session {id} was {before:?} and is {now:?}"));
        }
        Ok(())
    }

    /// Every open prompt can still be answered, and the answer takes effect once.
    fn answer_prompts(&self, trial: &mut Trial) -> Result<()> {
        for (number, id) in self.asking.iter().enumerate() {
            let open = rows(&self.arena.json(&["permissions", id])?, "permissions");
            trial.must(open.len() == 1, || format!("session {id} has these prompts: {open:?}"));
            let Some(prompt) = open.first() else { continue };
            self.arena.ok(&["allow", &text_of(prompt, "id")])?;
            self.arena.wait(id, "idle")?;
            let directory = self.arena.project(&format!("project-{}", self.talking.len() + number))?;
            let times = std::fs::read_to_string(directory.join("answered")).unwrap_or_default();
            trial.must(times == "once\n", || format!("the tool of {id} ran like this: {times:?}"));
            let asked = self.arena.api.times_asked(&question(number));
            trial.must(asked == 1, || format!("Claude was asked {asked} times for the prompt of {id}"));
        }
        trial.figure("prompts that were still open and were answered", self.asking.len());
        Ok(())
    }

    /// Decides about what was cut off, in one of the three ways, until nothing waits for a decision, and waits for the
    /// end of all work.
    fn finish(&self, trial: &mut Trial) -> Result<()> {
        for id in self.all() {
            loop {
                let found = self.arena.until_session(id, "comes to rest", |found| {
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
                    self.arena.until(&format!("the queue of {id} moves on"), || {
                        let left = rows(&self.arena.json(&["queue", id])?, "messages");
                        Ok((left.len() < waiting.len() || self.arena.find(id)?.undecided.is_some())
                            .then_some(()))
                    })?;
                }
            }
        }
        Ok(())
    }

    /// One of the sessions that talk.
    pub(super) fn any_talking(&self, trial: &mut Trial) -> String {
        self.talking[trial.random.usize(..self.talking.len())].clone()
    }

    /// Waits until this session has a Claude that can be killed.
    pub(super) fn running(&self, id: &str) -> Result<Found> {
        self.arena.until_session(id, "runs", |found| {
            matches!(found.status.as_str(), "idle" | "active" | "waiting") && found.pid.is_some()
        })
    }

    /// Kills all processes at once, clients too, until there are none.
    pub(super) fn kill_all(&self) -> Result<()> {
        self.load.set_down(true);
        // What was being started while others were killed is killed next, as a machine that goes down does.
        let left = processes::kill_all(self.arena.home(), PATIENCE);
        ensure!(left.is_empty(), "{left:?} do not die");
        Ok(())
    }

    /// Waits until every session is back in its conversation or says why not, and decides about what was cut off.
    /// Returns how many are back.
    pub(super) fn all_back(&self, trial: &mut Trial) -> Result<u32> {
        let mut resumed = 0;
        for id in self.all() {
            let conversation = &self.before[id].conversation;
            let now = self.arena.until_session(id, "is resumed or says why not", |found| {
                matches!(found.status.as_str(), "idle" | "active" | "waiting") && found.pid.is_some()
                    || found.status == "error" && found.error.is_some()
            })?;
            trial.must(now.conversation == *conversation && now.status != "error", || {
                format!("session {id} had the conversation {conversation} and is {now:?}")
            });
            resumed += u32::from(now.status != "error");
            if let Some(message) = &now.undecided {
                self.decide(trial, message)?;
            }
        }
        Ok(resumed)
    }

    /// Somebody or something else may have decided meanwhile, which is refused then.
    pub(super) fn decide(&self, trial: &mut Trial, message: &str) -> Result<()> {
        let choice = ["again", "skip", "continue"][trial.random.usize(..3)];
        self.arena.cli.run(&["queue", choice, message]).map(drop)
    }

    /// Compares what clients were told with what there is, and ends everything.
    pub(super) fn close(mut self, trial: &mut Trial, rules: Rules) -> Result<()> {
        self.load.stop();
        self.finish(trial)?;
        if !rules.cuts {
            self.same_processes(trial, None)?;
            self.answer_prompts(trial)?;
        }
        let sessions: Vec<String> = self.all().chain(&self.later).cloned().collect();
        let balance = self.load.ledger.balance(&self.arena, &sessions, rules)?;
        trial.figure("messages acknowledged", balance.acknowledged);
        trial.figure("messages done", balance.done);
        if rules.cuts {
            trial.figure("messages shown as cut off", balance.cut_off);
        }
        trial.figure("messages lost, doubled, out of order or astray", balance.broken.len());
        trial.must(balance.acknowledged > 0, || "nothing was sent, so nothing was shown".to_owned());
        trial.report.broken.extend(balance.broken);
        self.arena.close()
    }
}

/// What makes Claude ask for a permission.
fn question(number: usize) -> String {
    format!("run: echo once >> answered # {number}")
}

pub(super) fn daemon(trial: &mut Trial) -> Result<()> {
    let size = if trial.full {
        Size { talking: 15, asking: 5, producers: 10 }
    } else {
        Size { talking: 3, asking: 1, producers: 3 }
    };
    let field = Field::new(trial, &size, Fate::Served)?;
    trial.figure("sessions, clients", format!("{}, {}", size.talking + size.asking, size.producers));
    let mut ready = Vec::new();
    let mut late = 0;
    for _ in 0..trial.rounds {
        trial.any_moment(BETWEEN);
        let daemon = field.arena.daemon()?;
        let killed = Instant::now();
        field.arena.kill(daemon)?;
        field.arena.answers()?;
        ready.push(killed.elapsed());
        late += u32::from(killed.elapsed() > READY_AGAIN);
    }
    trial.figure("kills of the daemon", trial.rounds);
    trial.times("from the kill to the next answer", &mut ready);
    trial.figure("of them later than a second", late);
    field.close(trial, Rules::default())
}

pub(super) fn clients(trial: &mut Trial) -> Result<()> {
    let size = if trial.full {
        Size { talking: 8, asking: 2, producers: 10 }
    } else {
        Size { talking: 2, asking: 1, producers: 4 }
    };
    let field = Field::new(trial, &size, Fate::Mortal)?;
    let mut killed = 0;
    while killed < trial.rounds {
        trial.any_moment(BETWEEN / 10);
        let clients = field.load.clients();
        if clients.is_empty() {
            continue;
        }
        // It may have ended by itself a moment ago; then this was no kill.
        killed += u32::from(processes::kill(clients[trial.random.usize(..clients.len())]).is_ok());
    }
    trial.figure("clients killed in the middle of a request", killed);
    field.close(trial, Rules::default())
}

pub(super) fn claude(trial: &mut Trial) -> Result<()> {
    let mut field = Field::new(trial, &under_kills(trial), Fate::Served)?;
    for _ in 0..trial.rounds {
        trial.any_moment(BETWEEN);
        let id = field.any_talking(trial);
        let before = field.running(&id)?;
        field.arena.kill(before.pid.context("it has no Claude")?)?;
        back(trial, &mut field, &id, &before)?;
    }
    trial.figure("kills of Claude", trial.rounds);
    field.close(trial, CUTS)
}

pub(super) fn host(trial: &mut Trial) -> Result<()> {
    let mut field = Field::new(trial, &under_kills(trial), Fate::Served)?;
    for _ in 0..trial.rounds {
        trial.any_moment(BETWEEN);
        let id = field.any_talking(trial);
        let before = field.running(&id)?;
        field.arena.kill(before.host.context("it has no host")?)?;
        let claude = before.pid.context("it has no Claude")?;
        let gone = processes::wait_for_exit(claude, LINGER);
        trial.must(gone, || format!("Claude {claude} of {id} outlived its host for {LINGER:?}"));
        back(trial, &mut field, &id, &before)?;
        field.same_processes(trial, Some(&id))?;
    }
    trial.figure("kills of a host", trial.rounds);
    field.close(trial, CUTS)
}

pub(super) fn everything(trial: &mut Trial) -> Result<()> {
    let field = Field::new(trial, &under_kills(trial), Fate::Mortal)?;
    let mut resumed = 0;
    for _ in 0..trial.rounds {
        trial.any_moment(2 * BETWEEN);
        field.kill_all()?;
        field.load.set_down(false);
        resumed += field.all_back(trial)?;
    }
    trial.figure("times that everything was killed", trial.rounds);
    trial.figure("sessions resumed", format!("{resumed} of {}", trial.rounds as usize * field.before.len()));
    field.close(trial, CUTS)
}

/// Real Claudes are started again and again: as many as a person has.
fn under_kills(trial: &Trial) -> Size {
    if trial.full {
        Size { talking: 6, asking: 0, producers: 6 }
    } else {
        Size { talking: 2, asking: 0, producers: 3 }
    }
}

/// Waits until a session is back in its conversation, and decides about what was cut off.
fn back(trial: &mut Trial, field: &mut Field, id: &str, before: &Found) -> Result<()> {
    let mut restarted = false;
    let now = loop {
        let now = field.arena.until_session(id, "is back, or needs a person", |found| {
            let runs = matches!(found.status.as_str(), "idle" | "active" | "waiting");
            runs && found.pid.is_some() && found.pid != before.pid || found.status == "error"
        })?;
        if now.error.as_deref() != Some("crashed_too_often") || restarted {
            break now;
        }
        // That is the policy: a person starts it again.
        field.arena.ok(&["restart", id])?;
        restarted = true;
    };
    trial.must(now.error.is_none() && now.conversation == before.conversation, || {
        format!("session {id} was {before:?} and is {now:?}")
    });
    if let Some(message) = &now.undecided {
        field.decide(trial, message)?;
    }
    field.before.insert(id.to_owned(), now);
    Ok(())
}
