//! Accepting a message, which is on disk before the response. The peers are a bare synced write and, for concurrent
//! clients, bare SQLite that commits the same rows in groups.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, anyhow};
use areyouj_tests::home::TestHome;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use serde_json::json;
use uuid::Uuid;

use super::bare_sqlite::BareSqlite;
use crate::Bench;
use crate::client::{Client, request};
use crate::home;
use crate::interleave::{Rounds, interleave};
use crate::report::{Figure, Goal};
use crate::statistics::median;

/// The number of messages that a single client sends in a round.
const SINGLE_MESSAGES: usize = 200;

const PRODUCERS: usize = 64;

/// The number of messages that each of several clients sends in a round.
const MESSAGES_PER_PRODUCER: usize = 100;

/// The number of sessions that receive the messages: a queue accepts 1,000.
const SESSIONS: usize = 16;

const ROUNDS: usize = 9;

/// The length of a prompt of a few sentences.
pub(super) const TEXT_BYTES: usize = 200;

/// The smallest write of a file system.
const BLOCK_BYTES: usize = 4096;

/// The number of blocks in the file that is overwritten repeatedly.
const FILE_BLOCKS: usize = 1024;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let home = home::start_daemon("obedient", SESSIONS)?;
    if statfs(home.path())?.filesystem_type() == TMPFS_MAGIC {
        bench
            .report
            .skip("everything", "temporary files are in memory, where no write waits for a disk; set TMPDIR");
        return Ok(());
    }
    let sessions = home::idle_sessions(&home, SESSIONS);
    let mut control = Client::connect_quiet(home.path())?;
    for session in &sessions {
        control.request("areyouj/queue/pause", &action(session))?;
    }
    let goal = Goal::RatioAtMost(2.0);
    let rounds = measure_single(&home, &mut control, &sessions[0])?;
    bench.report.add(Figure::of_rounds("one producer, p50", "ms", "overwrite 4 kB, fdatasync", rounds, goal));

    let bare = BareSqlite::create(&home.path().join("data/bare.db"))?;
    let rounds = interleave(
        ROUNDS,
        || {
            let speed = measure_concurrent(&home, &sessions)?;
            clear(&mut control, &sessions)?;
            Ok(speed)
        },
        || bare.round(PRODUCERS, MESSAGES_PER_PRODUCER),
    )?;
    let goal = Goal::RatioAtLeast(0.75);
    let what = format!("{PRODUCERS} producers");
    bench.report.add(Figure::of_rounds(&what, "messages/s", "bare SQLite in groups", rounds, goal));
    Ok(())
}

fn action(session: &str) -> serde_json::Value {
    json!({ "requestId": Uuid::new_v4(), "sessionId": session })
}

fn clear(control: &mut Client, sessions: &[String]) -> Result<()> {
    for session in sessions {
        control.request("areyouj/queue/clear", &action(session))?;
    }
    Ok(())
}

/// Encodes a request that queues a message.
fn message(session: &str) -> Vec<u8> {
    let text = "x".repeat(TEXT_BYTES);
    let message = json!({ "id": Uuid::new_v4(), "text": text });
    request(1, "areyouj/queue/add", &json!({ "sessionId": session, "message": message }))
}

fn accepted(client: &mut Client) -> Result<()> {
    let answer = client.answer()?;
    match answer.windows(9).any(|word| word == b"\"result\":") {
        true => Ok(()),
        false => Err(anyhow!("a message was rejected: {}", String::from_utf8_lossy(answer))),
    }
}

/// Measures a message and a write alternately.
fn measure_single(home: &TestHome, control: &mut Client, session: &String) -> Result<Rounds> {
    let file = preallocated(home.path())?;
    let mut client = Client::connect_quiet(home.path())?;
    let mut rounds = Rounds::default();
    for round in 0..=ROUNDS {
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for number in 0..SINGLE_MESSAGES {
            let frame = message(session);
            let begin = Instant::now();
            client.send(&frame)?;
            accepted(&mut client)?;
            ours.push(begin.elapsed().as_secs_f64() * 1e3);

            let block = [number as u8; BLOCK_BYTES];
            let offset = (round * SINGLE_MESSAGES + number) % FILE_BLOCKS * BLOCK_BYTES;
            let begin = Instant::now();
            file.write_all_at(&block, offset as u64)?;
            file.sync_data()?;
            peer.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        clear(control, std::slice::from_ref(session))?;
        if round > 0 {
            rounds.ours.push(median(&ours));
            rounds.peer.push(median(&peer));
        }
    }
    Ok(rounds)
}

/// Creates a file with allocated blocks, on the disk of the database.
fn preallocated(home: &Path) -> Result<File> {
    let path = home.join("data/blocks");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    for block in 0..FILE_BLOCKS {
        file.write_all_at(&[1; BLOCK_BYTES], (block * BLOCK_BYTES) as u64)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// Runs all clients concurrently, each with one message in flight; returns messages per second.
fn measure_concurrent(home: &TestHome, sessions: &[String]) -> Result<f64> {
    let begun = Mutex::new(None);
    let barrier = Barrier::new(PRODUCERS);
    let produce = |number: usize| -> Result<()> {
        let session = &sessions[number % sessions.len()];
        let client = Client::connect_quiet(home.path());
        let frames: Vec<Vec<u8>> = (0..MESSAGES_PER_PRODUCER).map(|_| message(session)).collect();
        if barrier.wait().is_leader() {
            *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        let mut client = client?;
        for frame in frames {
            client.send(&frame)?;
            accepted(&mut client)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..PRODUCERS)
            .map(|number| {
                let produce = &produce;
                scope.spawn(move || produce(number))
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a producer panicked"))))
    })?;
    let begun = begun.into_inner().unwrap_or_else(PoisonError::into_inner);
    let begun = begun.ok_or_else(|| anyhow!("no client started"))?;
    Ok((PRODUCERS * MESSAGES_PER_PRODUCER) as f64 / begun.elapsed().as_secs_f64())
}
