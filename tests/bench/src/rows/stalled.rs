//! A client that attaches and stops reading during maximum output of a session: the effect on the daemon and on other
//! clients.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use areyouj_tests::home::TestHome;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Bench;
use crate::client::Client;
use crate::home::{idle_sessions, private_memory, start_daemon};
use crate::interleave::Rounds;
use crate::report::{Figure, Goal};
use crate::statistics::median;
use crate::watcher::{Attached, Watcher};

/// The default total duration for which the client does not read.
const SECONDS: u64 = 60;

const ROUNDS: usize = 3;

/// The warm-up before the first round, in which the daemon's memory reaches its level for full output.
const WARM_UP: Duration = Duration::from_secs(5);

/// The number of clients that keep reading.
const OTHERS: usize = 2;

/// The interval between two checks of the memory and of the number of queued messages.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The number of queued messages, so that the session never runs out of them between two checks.
const QUEUED_MESSAGES: usize = 6;

const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let home = start_daemon("flood", 1)?;
    let session = idle_sessions(&home, 1).remove(0);
    let mut flood = Flood::open(&home, session.clone())?;
    let others = (0..OTHERS)
        .map(|_| Attached::open(home.path(), &session)?.start_reading())
        .collect::<Result<Vec<Watcher>>>()?;
    flood.window(WARM_UP, &others)?;

    let window = Duration::from_secs(bench.seconds(SECONDS)) / ROUNDS as u32;
    let (mut memory, mut speed) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        speed.peer.push(flood.window(window, &others)?.speed);

        let reading = Attached::open(home.path(), &session)?.start_reading()?;
        memory.peer.push(flood.window(window, &others)?.memory);
        reading.finish()?;

        let stalled = Attached::open(home.path(), &session)?;
        let measured = flood.window(window, &others)?;
        memory.ours.push(measured.memory);
        speed.ours.push(measured.speed);
        flood.stop(&others)?;
        flood.catch_up(stalled)?;
        flood.resume()?;
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
        what: "additional memory of the stalled client".to_owned(),
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

/// The measurements of a period.
struct Window {
    /// The daemon's private memory, in MB.
    memory: f64,
    /// The output received by each of the other clients, in MB/s.
    speed: f64,
}

/// A session with continuous output.
struct Flood {
    control: Client,
    session: String,
    daemon: i32,
}

impl Flood {
    fn open(home: &TestHome, session: String) -> Result<Flood> {
        Ok(Flood { control: Client::connect_quiet(home.path())?, session, daemon: home.daemon_pid() })
    }

    fn request(&mut self, method: &str) -> Result<Value> {
        let parameters = json!({ "requestId": Uuid::new_v4(), "sessionId": self.session });
        self.control.request(method, &parameters)
    }

    /// Measures for this long.
    fn window(&mut self, length: Duration, others: &[Watcher]) -> Result<Window> {
        let bytes = || others.iter().map(Watcher::bytes).sum::<u64>();
        let (begin, before) = (Instant::now(), bytes());
        let mut memory = Vec::new();
        while begin.elapsed() < length {
            self.top_up()?;
            // Only the second half counts, when the memory is stable.
            if begin.elapsed() > length / 2 {
                memory.push(private_memory(self.daemon)? as f64 / 1e6);
            }
            std::thread::park_timeout(CHECK_INTERVAL);
        }
        let megabytes = (bytes() - before) as f64 / 1e6 / others.len() as f64;
        Ok(Window { memory: median(&memory), speed: megabytes / begin.elapsed().as_secs_f64() })
    }

    fn top_up(&mut self) -> Result<()> {
        let queue = self.request("areyouj/queue/list")?;
        let known = queue["messages"].as_array().context("no messages")?.len();
        for _ in known..QUEUED_MESSAGES {
            let message = json!({ "id": Uuid::new_v4(), "text": "continue" });
            let parameters = json!({ "sessionId": self.session, "message": message });
            self.control.request("areyouj/queue/add", &parameters)?;
        }
        Ok(())
    }

    /// Waits until the session is idle and all other clients have received its output.
    fn stop(&mut self, others: &[Watcher]) -> Result<()> {
        self.request("areyouj/queue/pause")?;
        let begin = Instant::now();
        loop {
            let idle = self.request("areyouj/session/get")?["status"] == "idle";
            let seq = self.seq()?;
            if idle && others.iter().all(|other| other.seq() == seq) {
                return Ok(());
            }
            ensure!(begin.elapsed() < EVENT_TIMEOUT, "the other clients do not receive entry {seq}");
            std::thread::park_timeout(CHECK_INTERVAL);
        }
    }

    fn resume(&mut self) -> Result<()> {
        self.request("areyouj/queue/resume").map(drop)
    }

    /// The `seq` of the newest entry.
    fn seq(&mut self) -> Result<u64> {
        let attached = self.request("areyouj/session/attach")?;
        self.request("areyouj/session/detach")?;
        attached["seq"].as_u64().context("no seq")
    }

    /// The client resumes reading. It must receive `areyouj/resync`, and then the same entries as the others.
    fn catch_up(&mut self, stalled: Attached) -> Result<()> {
        let seq = self.seq()?;
        let watcher = stalled.start_reading()?;
        let begin = Instant::now();
        while watcher.resyncs() == 0 || watcher.seq() < seq {
            ensure!(begin.elapsed() < EVENT_TIMEOUT, "the stalled client does not catch up");
            std::thread::park_timeout(CHECK_INTERVAL);
        }
        ensure!(watcher.seq() == seq, "the stalled client knows entry {}, not {seq}", watcher.seq());
        watcher.finish()
    }
}
