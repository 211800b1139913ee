//! Load: clients that send messages one after another, each with a separate run of the program, as people and scripts
//! do.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::arena::{Arena, EVENT_TIMEOUT};
use super::ledger::Ledger;
use crate::cli::{Cli, Run, Running};

/// The maximum number of queued messages per session: enough that there is always work, and few enough that the end
/// comes soon.
const QUEUED_PER_SESSION: usize = 4;

/// The maximum pause of a client between two messages.
const CLIENT_PAUSE: Duration = Duration::from_millis(60);

/// How long one request can take: meanwhile, a daemon can be started and killed several times.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The failures of clients that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tolerance {
    /// None: every message must be accepted.
    Nothing,
    /// Clients can be killed.
    Kills,
    /// Clients can be killed, or rejected with one of these codes.
    KillsAndErrors(&'static [&'static str]),
}

impl Tolerance {
    fn allows(self, run: &Run) -> bool {
        match self {
            Tolerance::Nothing => false,
            Tolerance::Kills => run.status > 128,
            Tolerance::KillsAndErrors(codes) => {
                let code = run.error().ok().and_then(|error| Some(error["code"].as_str()?.to_owned()));
                run.status > 128 || code.is_some_and(|code| codes.contains(&code.as_str()))
            }
        }
    }
}

/// Running clients. They stop on drop.
pub(super) struct Load {
    pub(super) ledger: Arc<Ledger>,
    shared: Arc<Shared>,
    producers: Vec<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    /// Whether the machine is down, so that no client is started. Locked while a client starts, so that none appears
    /// afterwards.
    down: Mutex<bool>,
    /// Whether the power is being cut, so that acknowledgements do not count.
    powerless: AtomicBool,
    tolerance: Tolerance,
    /// The process id of the client that each producer is running, or 0.
    running: Vec<AtomicI32>,
}

impl Shared {
    fn down(&self) -> MutexGuard<'_, bool> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    /// Starts this many clients that send messages to these sessions.
    pub(super) fn start(
        arena: &Arena,
        sessions: &[String],
        producers: usize,
        seed: u64,
        tolerance: Tolerance,
    ) -> Load {
        let ledger = Arc::new(Ledger::default());
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            down: Mutex::new(false),
            powerless: AtomicBool::new(false),
            tolerance,
            running: (0..producers).map(|_| AtomicI32::new(0)).collect(),
        });
        let prompt_count = arena.api.prompt_counter();
        let producers = (0..producers).map(|number| {
            let producer = Producer {
                number,
                sessions: sessions.to_vec(),
                cli: arena.cli.clone(),
                ledger: Arc::clone(&ledger),
                shared: Arc::clone(&shared),
                random: fastrand::Rng::with_seed(seed ^ (number as u64 + 1)),
            };
            let prompt_count = prompt_count.clone();
            thread::spawn(move || producer.run(&prompt_count))
        });
        let producers = producers.collect();
        Load { ledger, shared, producers }
    }

    /// The process ids of the running clients.
    pub(super) fn clients(&self) -> Vec<i32> {
        self.shared.running.iter().map(|pid| pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0).collect()
    }

    /// Ignores acknowledgements until the machine is up again. Must be called before the power is cut: a system call in
    /// progress can report success although its data did not reach the disk (Linux's `fdatasync` does, for a test_rounds
    /// milliseconds). In a real power failure, no client would receive that response.
    pub(super) fn lose_power(&self) {
        self.shared.powerless.store(true, Ordering::SeqCst);
    }

    /// Stops or resumes starting clients. A client that was being started is running when this returns.
    pub(super) fn set_down(&self, down: bool) {
        if !down {
            self.shared.powerless.store(false, Ordering::SeqCst);
        }
        *self.shared.down() = down;
    }

    /// Waits for every running client, and starts no more.
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
    fn run(mut self, prompt_count: &impl Fn() -> usize) {
        for message in 0_u32.. {
            loop {
                if self.shared.stop.load(Ordering::SeqCst) {
                    return;
                }
                let ahead = self.ledger.count().saturating_sub(prompt_count());
                if ahead < QUEUED_PER_SESSION * self.sessions.len() && !*self.shared.down() {
                    break;
                }
                thread::park_timeout(CLIENT_PAUSE);
            }
            thread::park_timeout(CLIENT_PAUSE.mul_f64(self.random.f64()));
            let text = self.text(message);
            let session = self.sessions[self.random.usize(..self.sessions.len())].clone();
            self.send(&session, &text);
        }
    }

    fn text(&mut self, message: u32) -> String {
        let label = format!("client {} message {message}", self.number);
        match self.random.u8(..4) {
            0 => format!("slow: {} {label}", self.random.u8(1..6)),
            1 => format!("think: {label}"),
            2 => format!("{label} {}", "lorem ipsum ".repeat(self.random.usize(..200))).trim().to_owned(),
            _ => label,
        }
    }

    fn send(&self, session: &str, text: &str) {
        let arguments = ["send", session, text, "--json"];
        let Some(client) = self.start(&arguments) else { return };
        let pid = i32::try_from(client.pid()).unwrap_or(0);
        self.shared.running[self.number].store(pid, Ordering::SeqCst);
        let ended = client.finish(REQUEST_TIMEOUT.max(EVENT_TIMEOUT));
        self.shared.running[self.number].store(0, Ordering::SeqCst);
        let id = match &ended {
            Ok(run) if run.status == 0 => {
                run.json().ok().and_then(|json| Some(json["id"].as_str()?.to_owned()))
            }
            _ => None,
        };
        match (id, ended) {
            (Some(_), _) if self.shared.powerless.load(Ordering::SeqCst) => {
                self.ledger.unknown(session, text);
            }
            (Some(id), _) => self.ledger.acknowledged(session, &id, text),
            (None, Ok(run)) if self.shared.tolerance.allows(&run) => self.ledger.unknown(session, text),
            (None, ended) => {
                self.ledger.unknown(session, text);
                self.ledger.failed(format!("a message was not accepted: {ended:?}"));
            }
        }
    }

    /// Starts a client, unless the machine is down.
    fn start(&self, arguments: &[&str]) -> Option<Running> {
        let down = self.shared.down();
        if *down { None } else { Running::start(&self.cli, arguments).ok() }
    }
}
