//! One event to 500 clients, next to a loop that writes the same bytes to 500 sockets: what is left when nothing has to
//! be decided.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::Bench;
use crate::client::{Client, request};
use crate::home;
use crate::interleave::interleave;
use crate::readers::Readers;
use crate::report::{Figure, Goal};

const CLIENTS: usize = 500;

/// Events of one round. All that one client is told in a round stays far below what it may leave unread.
const EVENTS: usize = 200;

/// Events that are asked for and not yet acknowledged; what a client may have in flight.
const AHEAD: usize = 32;

/// Events that the second peer writes at once, since ours writes those together that wait together. Nobody knows of that
/// many in advance, so this one is told for comparison.
const TOGETHER: usize = 20;

const ROUNDS: usize = 9;

/// How long a round may take.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("this many sockets are not allowed")?;
    let home = home::serving("obedient", 1)?;
    let session = home::idle_sessions(&home, 1).remove(0);
    let clients =
        (0..CLIENTS).map(|_| Ok(Client::connect(home.path())?.stream)).collect::<Result<Vec<_>>>()?;
    let readers = Readers::start(clients)?;
    let mut driver = Client::connect(home.path())?;
    let mut number = 0;
    // What one event is on the wire, header included.
    let frame = rename(&mut driver, &session, &mut number)?;
    let mut before = settle(&readers, frame.len() as u64)?;

    let (pairs, ends): (Vec<UnixStream>, Vec<UnixStream>) =
        (0..CLIENTS).map(|_| UnixStream::pair()).collect::<std::io::Result<Vec<_>>>()?.into_iter().unzip();
    let bare = Readers::start(ends)?;
    let expected = (frame.len() * EVENTS * CLIENTS) as u64;
    let mut bare_before = 0;
    let mut ours = || {
        let begin = Instant::now();
        events(&mut driver, &session, &mut number)?;
        arrived(&readers, before + expected)?;
        let seconds = begin.elapsed().as_secs_f64();
        before += expected;
        ensure!(readers.bytes() == before, "clients were told something else too");
        Ok((EVENTS * CLIENTS) as f64 / seconds)
    };
    let mut peer = |together: usize| {
        let frames = frame.repeat(together);
        let begin = Instant::now();
        for _ in 0..EVENTS / together {
            for mut socket in &pairs {
                socket.write_all(&frames)?;
            }
        }
        arrived(&bare, bare_before + expected)?;
        bare_before += expected;
        Ok((EVENTS * CLIENTS) as f64 / begin.elapsed().as_secs_f64())
    };
    let rounds = interleave(ROUNDS, &mut ours, || peer(1))?;
    let together = interleave(ROUNDS, &mut ours, || peer(TOGETHER))?;
    let counts = readers.finish()?;
    ensure!(counts.iter().all(|count| *count == counts[0]), "not all clients were told the same");
    bare.finish()?;
    let what = format!("one event of {} bytes to {CLIENTS} clients", frame.len());
    let goal = Goal::RatioAtLeast(0.7);
    bench.report.add(Figure::of_rounds(&what, "deliveries/s", "serialise once, write", rounds, goal));
    let peer = format!("{TOGETHER} events a write");
    bench.report.add(Figure::of_rounds(&what, "deliveries/s", &peer, together, Goal::None));
    Ok(())
}

/// A name of always the same length, so that every event has the same length too.
fn parameters(session: &str, number: &mut u64) -> Value {
    *number += 1;
    let name = format!("name number {:08}", *number);
    json!({ "requestId": format!("rename-{name}"), "sessionId": session, "name": name })
}

/// Names the session once; what clients are told of it.
fn rename(driver: &mut Client, session: &str, number: &mut u64) -> Result<Vec<u8>> {
    driver.send(&request(1, "areyouj/session/rename", &parameters(session, number)))?;
    loop {
        let body = driver.frame()?;
        if body.windows(17).any(|word| word == b"sessionListUpdate") {
            let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
            frame.extend_from_slice(body);
            return Ok(frame);
        }
    }
}

/// A round of events, some of them ahead of their answers.
fn events(driver: &mut Client, session: &str, number: &mut u64) -> Result<()> {
    for event in 0..EVENTS + AHEAD {
        if event >= AHEAD {
            driver.answer()?;
        }
        if event < EVENTS {
            driver.send(&request(event as u64, "areyouj/session/rename", &parameters(session, number)))?;
        }
    }
    Ok(())
}

fn arrived(readers: &Readers, bytes: u64) -> Result<()> {
    let begin = Instant::now();
    while readers.bytes() < bytes {
        ensure!(begin.elapsed() < EVENT_TIMEOUT, "{} bytes came, {bytes} were expected", readers.bytes());
        std::thread::park_timeout(Duration::from_micros(100));
    }
    Ok(())
}

/// Waits until everything was told that came before, and returns how much that is.
fn settle(readers: &Readers, event: u64) -> Result<u64> {
    // The answers to `initialize` were read when the clients connected.
    arrived(readers, event * CLIENTS as u64)?;
    loop {
        let before = readers.bytes();
        std::thread::park_timeout(Duration::from_millis(300));
        if readers.bytes() == before {
            return Ok(before);
        }
    }
}
