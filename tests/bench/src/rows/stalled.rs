//! A client that attaches and stops reading while a session says all it can: what that costs the daemon and the others.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use areyouj_tests::home::TestHome;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Bench;
use crate::client::Client;
use crate::home::{idle_sessions, private_memory, serving};
use crate::interleave::Rounds;
use crate::report::{Figure, Goal};
use crate::statistics::median;
use crate::watcher::{Attached, Watcher};

/// How long the client stands still altogether, unless asked otherwise.
const SECONDS: u64 = 60;

const ROUNDS: usize = 3;

/// Before the first round: the daemon's memory comes to what full output takes.
const WARM_UP: Duration = Duration::from_secs(5);

/// Clients that read all the time.
const OTHERS: usize = 2;

/// Between two looks at the memory and at whether there are messages enough.
const LOOK: Duration = Duration::from_millis(100);

/// Messages that wait, so that the session never runs out of them between two looks.
const WAITING: usize = 6;

const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let home = serving("flood", 1)?;
    let session = idle_sessions(&home, 1).remove(0);
    let mut flood = Flood::open(&home, session.clone())?;
    let others = (0..OTHERS)
        .map(|_| Attached::open(home.path(), &session)?.read_on())
        .collect::<Result<Vec<Watcher>>>()?;
    flood.window(WARM_UP, &others)?;

    let window = Duration::from_secs(bench.seconds(SECONDS)) / ROUNDS as u32;
    let (mut memory, mut speed) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        speed.peer.push(flood.window(window, &others)?.speed);

        let reading = Attached::open(home.path(), &session)?.read_on()?;
        memory.peer.push(flood.window(window, &others)?.memory);
        reading.finish()?;

        let stalled = Attached::open(home.path(), &session)?;
        let measured = flood.window(window, &others)?;
        memory.ours.push(measured.memory);
        speed.ours.push(measured.speed);
        flood.stop(&others)?;
        flood.in_step(stalled)?;
        flood.go_on()?;
    }
    let resyncs: u64 = others.iter().map(Watcher::resyncs).sum();
    others.into_iter().try_for_each(Watcher::finish)?;

    let beyond = memory.ours.iter().zip(&memory.peer).map(|(ours, peer)| ours - peer).collect();
    let report = &mut bench.report;
    report.add(Figure::of_rounds(
        "memory with a stalled client",
        "MB",
        "with one that reads",
        memory,
        Goal::None,
    ));
    report.add(Figure {
        what: "memory that stalling takes".to_owned(),
        unit: "MB",
        percent: 50.0,
        ours: beyond,
        peer: None,
        goal: Goal::AtMost(1.0),
    });
    let what = format!("output to each of {OTHERS} others ({resyncs} resyncs)");
    let goal = Goal::RatioAtLeast(0.9);
    report.add(Figure::of_rounds(&what, "MB/s", "without the stalled one", speed, goal));
    Ok(())
}

/// What one window of time came to.
struct Window {
    /// The daemon's private memory, in MB.
    memory: f64,
    /// What each of the others got, in MB/s.
    speed: f64,
}

/// A session that talks all the time.
struct Flood {
    control: Client,
    session: String,
    daemon: i32,
}

impl Flood {
    fn open(home: &TestHome, session: String) -> Result<Flood> {
        Ok(Flood { control: Client::connect_quiet(home.path())?, session, daemon: home.daemon_pid() })
    }

    fn ask(&mut self, method: &str) -> Result<Value> {
        let parameters = json!({ "requestId": Uuid::new_v4(), "sessionId": self.session });
        self.control.request(method, &parameters)
    }

    /// Measures for that long.
    fn window(&mut self, length: Duration, others: &[Watcher]) -> Result<Window> {
        let bytes = || others.iter().map(Watcher::bytes).sum::<u64>();
        let (begin, before) = (Instant::now(), bytes());
        let mut memory = Vec::new();
        while begin.elapsed() < length {
            self.top_up()?;
            // What matters is where it comes to, not the way there.
            if begin.elapsed() > length / 2 {
                memory.push(private_memory(self.daemon)? as f64 / 1e6);
            }
            std::thread::park_timeout(LOOK);
        }
        let megabytes = (bytes() - before) as f64 / 1e6 / others.len() as f64;
        Ok(Window { memory: median(&memory), speed: megabytes / begin.elapsed().as_secs_f64() })
    }

    fn top_up(&mut self) -> Result<()> {
        let queue = self.ask("areyouj/queue/list")?;
        let known = queue["messages"].as_array().context("no messages")?.len();
        for _ in known..WAITING {
            let message = json!({ "id": Uuid::new_v4(), "text": "go on" });
            let parameters = json!({ "sessionId": self.session, "message": message });
            self.control.request("areyouj/queue/add", &parameters)?;
        }
        Ok(())
    }

    /// Waits until the session is silent and those who read know all that it said.
    fn stop(&mut self, others: &[Watcher]) -> Result<()> {
        self.ask("areyouj/queue/pause")?;
        let begin = Instant::now();
        loop {
            let idle = self.ask("areyouj/session/get")?["status"] == "idle";
            let seq = self.seq()?;
            if idle && others.iter().all(|other| other.seq() == seq) {
                return Ok(());
            }
            ensure!(begin.elapsed() < EVENT_TIMEOUT, "those who read do not get to entry {seq}");
            std::thread::park_timeout(LOOK);
        }
    }

    fn go_on(&mut self) -> Result<()> {
        self.ask("areyouj/queue/resume").map(drop)
    }

    /// The number of the newest entry.
    fn seq(&mut self) -> Result<u64> {
        let attached = self.ask("areyouj/session/attach")?;
        self.ask("areyouj/session/detach")?;
        attached["seq"].as_u64().context("no seq")
    }

    /// The client reads on: it has to be told that it was too slow, and to come to know what the others know.
    fn in_step(&mut self, stalled: Attached) -> Result<()> {
        let seq = self.seq()?;
        let watcher = stalled.read_on()?;
        let begin = Instant::now();
        while watcher.resyncs() == 0 || watcher.seq() < seq {
            ensure!(begin.elapsed() < EVENT_TIMEOUT, "the client that stalled does not get back in step");
            std::thread::park_timeout(LOOK);
        }
        ensure!(watcher.seq() == seq, "the client that stalled knows entry {}, not {seq}", watcher.seq());
        watcher.finish()
    }
}
