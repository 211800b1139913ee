//! One event for 500 clients. The peer is a loop that writes the same bytes to 500 sockets, which is the minimal work.

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

/// The number of events in a round. The notifications of a round for one client stay far below its limit of unread
/// bytes.
const EVENTS: usize = 200;

/// The number of requests in flight, within the limit for a client.
const REQUESTS_IN_FLIGHT: usize = 32;

/// The number of events that the second peer writes at once, because AreYouJ combines waiting events in one write. A
/// real program does not know this number in advance, so this figure is only for comparison.
const EVENTS_PER_WRITE: usize = 20;

const ROUNDS: usize = 9;

/// The deadline for a round.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("this many sockets are not allowed")?;
    let home = home::start_daemon("obedient", 1)?;
    let session = home::idle_sessions(&home, 1).remove(0);
    let clients =
        (0..CLIENTS).map(|_| Ok(Client::connect(home.path())?.stream)).collect::<Result<Vec<_>>>()?;
    let readers = Readers::start(clients)?;
    let mut driver = Client::connect(home.path())?;
    let mut number = 0;
    // One event on the wire, including the header.
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
        ensure!(readers.bytes() == before, "clients received other messages, too");
        Ok((EVENTS * CLIENTS) as f64 / seconds)
    };
    let mut peer = |combined: usize| {
        let frames = frame.repeat(combined);
        let begin = Instant::now();
        for _ in 0..EVENTS / combined {
            for mut socket in &pairs {
                socket.write_all(&frames)?;
            }
        }
        arrived(&bare, bare_before + expected)?;
        bare_before += expected;
        Ok((EVENTS * CLIENTS) as f64 / begin.elapsed().as_secs_f64())
    };
    let rounds = interleave(ROUNDS, &mut ours, || peer(1))?;
    let combined = interleave(ROUNDS, &mut ours, || peer(EVENTS_PER_WRITE))?;
    let counts = readers.finish()?;
    ensure!(counts.iter().all(|count| *count == counts[0]), "not all clients received the same messages");
    bare.finish()?;
    let what = format!("one event of {} bytes to {CLIENTS} clients", frame.len());
    let goal = Goal::RatioAtLeast(0.7);
    bench.report.add(Figure::of_rounds(&what, "deliveries/s", "serialise once, write", rounds, goal));
    let peer = format!("{EVENTS_PER_WRITE} events per write");
    bench.report.add(Figure::of_rounds(&what, "deliveries/s", &peer, combined, Goal::None));
    Ok(())
}

/// Names always have the same length, so that all events have the same length.
fn parameters(session: &str, number: &mut u64) -> Value {
    *number += 1;
    let name = format!("name number {:08}", *number);
    json!({ "requestId": format!("rename-{name}"), "sessionId": session, "name": name })
}

/// Renames the session once; returns the notification for clients.
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

/// Runs a round of events, with several requests in flight.
fn events(driver: &mut Client, session: &str, number: &mut u64) -> Result<()> {
    for event in 0..EVENTS + REQUESTS_IN_FLIGHT {
        if event >= REQUESTS_IN_FLIGHT {
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
        ensure!(begin.elapsed() < EVENT_TIMEOUT, "{} bytes arrived, {bytes} were expected", readers.bytes());
        std::thread::park_timeout(Duration::from_micros(100));
    }
    Ok(())
}

/// Waits until all earlier notifications have arrived, and returns their size in bytes.
fn settle(readers: &Readers, event: u64) -> Result<u64> {
    // The responses to `initialize` were read when the clients connected.
    arrived(readers, event * CLIENTS as u64)?;
    loop {
        let before = readers.bytes();
        std::thread::park_timeout(Duration::from_millis(300));
        if readers.bytes() == before {
            return Ok(before);
        }
    }
}
