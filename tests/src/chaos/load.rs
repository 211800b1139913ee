//! Load: clients that send messages one after another, each through a run of the program, as people and scripts do.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::arena::{Arena, PATIENCE};
use super::ledger::Ledger;
use crate::cli::{Cli, Run, Running};

/// Messages that may wait for their turn, for each session: enough that there is always work, few enough that the end
/// is not far.
const AHEAD: usize = 4;

/// The longest pause of a client between two messages.
const PAUSE: Duration = Duration::from_millis(60);

/// How long one request may take: a daemon is started and killed several times meanwhile.
const REQUEST: Duration = Duration::from_secs(60);

/// What may happen to clients without being a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: every message is taken.
    Served,
    /// They may be killed.
    Mortal,
    /// They may be killed, and refused with one of these codes.
    Refused(&'static [&'static str]),
}

impl Fate {
    fn allows(self, run: &Run) -> bool {
        match self {
            Fate::Served => false,
            Fate::Mortal => run.status > 128,
            Fate::Refused(codes) => {
                let code = run.error().ok().and_then(|error| Some(error["code"].as_str()?.to_owned()));
                run.status > 128 || code.is_some_and(|code| codes.contains(&code.as_str()))
            }
        }
    }
}

/// Clients at work. They stop when this is dropped.
pub(super) struct Load {
    pub(super) ledger: Arc<Ledger>,
    shared: Arc<Shared>,
    producers: Vec<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    /// No client is started now: the machine is down. Held while one is being started, so that none appears afterwards.
    down: Mutex<bool>,
    /// What clients are told counts for nothing now: the power is being cut.
    powerless: AtomicBool,
    fate: Fate,
    /// The client that each producer runs now; 0 for none.
    running: Vec<AtomicI32>,
}

impl Shared {
    fn down(&self) -> MutexGuard<'_, bool> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    /// Starts so many clients that send to these sessions.
    pub(super) fn start(arena: &Arena, sessions: &[String], producers: usize, seed: u64, fate: Fate) -> Load {
        let ledger = Arc::new(Ledger::default());
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            down: Mutex::new(false),
            powerless: AtomicBool::new(false),
            fate,
            running: (0..producers).map(|_| AtomicI32::new(0)).collect(),
        });
        let asked = arena.api.counter();
        let producers = (0..producers).map(|number| {
            let producer = Producer {
                number,
                sessions: sessions.to_vec(),
                cli: arena.cli.clone(),
                ledger: Arc::clone(&ledger),
                shared: Arc::clone(&shared),
                random: fastrand::Rng::with_seed(seed ^ (number as u64 + 1)),
            };
            let asked = asked.clone();
            thread::spawn(move || producer.run(&asked))
        });
        let producers = producers.collect();
        Load { ledger, shared, producers }
    }

    /// Clients that run at this moment.
    pub(super) fn clients(&self) -> Vec<i32> {
        self.shared.running.iter().map(|pid| pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0).collect()
    }

    /// From now on what clients are told counts for nothing, until the machine is up again. To be called before the power is
    /// cut: a system call that had begun may still report success though nothing of it reached the disk (Linux's
    /// `fdatasync` does, a few milliseconds long). Without power nobody hears of that; in a trial somebody would.
    pub(super) fn lose_power(&self) {
        self.shared.powerless.store(true, Ordering::SeqCst);
    }

    /// From now on no client is started, or they are again. What was started before runs by then.
    pub(super) fn set_down(&self, down: bool) {
        if !down {
            self.shared.powerless.store(false, Ordering::SeqCst);
        }
        *self.shared.down() = down;
    }

    /// Lets every client finish what it does, and starts no more.
    pub(super) fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for producer in self.producers.drain(..) {
            let _ = producer.join();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Producer {
    number: usize,
    sessions: Vec<String>,
    cli: Cli,
    ledger: Arc<Ledger>,
    shared: Arc<Shared>,
    random: fastrand::Rng,
}

impl Producer {
    fn run(mut self, asked: &impl Fn() -> usize) {
        for message in 0_u32.. {
            loop {
                if self.shared.stop.load(Ordering::SeqCst) {
                    return;
                }
                let ahead = self.ledger.count().saturating_sub(asked());
                if ahead < AHEAD * self.sessions.len() && !*self.shared.down() {
                    break;
                }
                thread::park_timeout(PAUSE);
            }
            thread::park_timeout(PAUSE.mul_f64(self.random.f64()));
            let text = self.text(message);
            let session = self.sessions[self.random.usize(..self.sessions.len())].clone();
            self.send(&session, &text);
        }
    }

    fn text(&mut self, message: u32) -> String {
        let mark = format!("client {} message {message}", self.number);
        match self.random.u8(..4) {
            0 => format!("slow: {} {mark}", self.random.u8(1..6)),
            1 => format!("think: {mark}"),
            2 => format!("{mark} {}", "lorem ipsum ".repeat(self.random.usize(..200))).trim().to_owned(),
            _ => mark,
        }
    }

    fn send(&self, session: &str, text: &str) {
        let arguments = ["send", session, text, "--json"];
        let Some(client) = self.start(&arguments) else { return };
        let pid = i32::try_from(client.pid()).unwrap_or(0);
        self.shared.running[self.number].store(pid, Ordering::SeqCst);
        let ended = client.finish(REQUEST.max(PATIENCE));
        self.shared.running[self.number].store(0, Ordering::SeqCst);
        let id = match &ended {
            Ok(run) if run.status == 0 => {
                run.json().ok().and_then(|json| Some(json["id"].as_str()?.to_owned()))
            }
            _ => None,
        };
        match (id, ended) {
            (Some(_), _) if self.shared.powerless.load(Ordering::SeqCst) => {
                self.ledger.unsure(session, text);
            }
            (Some(id), _) => self.ledger.acknowledged(session, &id, text),
            (None, Ok(run)) if self.shared.fate.allows(&run) => self.ledger.unsure(session, text),
            (None, ended) => {
                self.ledger.unsure(session, text);
                self.ledger.failed(format!("a message was not taken: {ended:?}"));
            }
        }
    }

    /// A client, unless the machine is down.
    fn start(&self, arguments: &[&str]) -> Option<Running> {
        let down = self.shared.down();
        if *down { None } else { Running::start(&self.cli, arguments).ok() }
    }
}
