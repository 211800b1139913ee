//! The restart of a killed daemon with a long history and many live sessions.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use areyouj_core::orchestrator::{Change, EntryBody, EntryRow};
use areyouj_store::Reader;
use areyouj_tests::home::{TestHome, process_id};
use nix::poll::{PollTimeout, poll};

use crate::Bench;
use crate::home::{idle_sessions, start_daemon};
use crate::processes::{Owned, command};
use crate::report::{Figure, Goal};

const SESSIONS: usize = 100;

/// The number of transcript entries of all sessions together, and the length of each.
const ENTRIES: u64 = 1_000_000;
const ENTRY_BYTES: usize = 500;

/// The number of entries per transaction.
const BATCH_ENTRIES: usize = 5_000;

const ROUNDS: usize = 9;

/// A delay that a person does not notice.
const GOAL_MS: f64 = 300.0;

/// The deadline for the daemon.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The polling interval for the journals.
const POLL_INTERVAL_MS: u8 = 1;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let home = start_daemon("obedient", SESSIONS)?;
    let sessions = idle_sessions(&home, SESSIONS);
    let hosts = |home: &TestHome| -> Vec<i32> {
        sessions.iter().map(|id| process_id(&home.session(id), "hostPid")).collect()
    };
    let before = hosts(&home);
    home.ok(&["daemon", "stop"]);
    fill(&home.path().join("data/areyouj.db"))?;
    home.ok(&["daemon", "start"]);
    let journals: Vec<PathBuf> =
        sessions.iter().map(|id| home.path().join("state/sessions").join(id).join("journal")).collect();
    // Send a message to every session, which proves that it was found.
    sessions.iter().for_each(|id| drop(home.send_and_wait(id, "hello")));
    let (mut answered, mut followed) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        home.kill(home.daemon_pid());
        let (answer, all) = restart_daemon(&home, &journals)?;
        // The first round is a warm-up that reads files into memory.
        if round > 0 {
            answered.push(answer);
            followed.push(all);
        }
    }
    ensure!(hosts(&home) == before, "not all sessions kept their processes");
    // A followed session also delivers messages to Claude and receives its output.
    sessions.iter().for_each(|id| drop(home.send_and_wait(id, "hello again")));
    for (what, ours, goal) in [
        ("response to the first command, which starts the daemon", answered, Goal::None),
        ("all 100 sessions followed, 1M entries in the store", followed, Goal::AtMost(GOAL_MS)),
    ] {
        bench.report.add(Figure { what: what.to_owned(), unit: "ms", percent: 50.0, ours, peer: None, goal });
    }
    Ok(())
}

/// Requests the list, which starts a daemon. Returns the times of the response, and of the moment when the new daemon
/// had asked every Claude for its open requests. A daemon does so when it has connected to the host and ingested its
/// journal. The host first records that input in the journal, and idle sessions record nothing else.
fn restart_daemon(home: &TestHome, journals: &[PathBuf]) -> Result<(f64, f64)> {
    let lengths = journals.iter().map(|journal| length(journal)).collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    let mut list = Owned::start(&mut command(&home.cli, &home.cli.program, &["ls", "--json"]))?;
    let mut answered = None;
    for (journal, known) in journals.iter().zip(&lengths) {
        while length(journal)? <= *known {
            ensure!(begun.elapsed() < EVENT_TIMEOUT, "{} is not followed", journal.display());
            if answered.is_none() && list.0.try_wait()?.is_some() {
                answered = Some(begun.elapsed());
            }
            poll(&mut [], PollTimeout::from(POLL_INTERVAL_MS))?;
        }
    }
    let mut all = begun.elapsed();
    let printed = list.finish()?;
    let answer = answered.unwrap_or_else(|| begun.elapsed());
    all = all.max(answer);
    let listed = serde_json::from_str::<serde_json::Value>(&printed)?;
    ensure!(listed.as_array().is_some_and(|rows| rows.len() == journals.len()), "sessions are missing");
    Ok((answer.as_secs_f64() * 1e3, all.as_secs_f64() * 1e3))
}

/// The size of a journal, in bytes.
fn length(journal: &Path) -> Result<u64> {
    let segments = fs::read_dir(journal).with_context(|| format!("no journal at {}", journal.display()))?;
    segments.map(|segment| Ok(segment?.metadata()?.len())).sum()
}

/// Writes a long history into a database that no daemon has open.
fn fill(database: &Path) -> Result<()> {
    let (mut committer, snapshot) = areyouj_store::open(database)?;
    let share = ENTRIES / snapshot.sessions.len().max(1) as u64;
    let words = "the transcript of a turn, ".repeat(ENTRY_BYTES / 25);
    for mut session in snapshot.sessions {
        let entries: Vec<Change> = (session.seq + 1..=session.seq + share)
            .map(|seq| Change::Entry {
                session: session.id,
                entry: EntryRow {
                    seq,
                    at: session.created_at + seq,
                    body: EntryBody::Text { text: format!("{seq}: {words}"), parent_tool_use_id: None },
                },
            })
            .collect();
        for batch in entries.chunks(BATCH_ENTRIES) {
            committer.commit(batch)?;
        }
        session.seq += share;
        committer.commit(&[Change::Session(Box::new(session))])?;
    }
    drop(committer);
    let (_, _, entries) = Reader::open(database)?.totals()?;
    ensure!(entries >= ENTRIES, "the store holds {entries} entries only");
    Ok(())
}
