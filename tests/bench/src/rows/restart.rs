//! A daemon that was killed comes back to a long history and many live sessions.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use areyouj_core::orchestrator::{Change, EntryBody, EntryRow};
use areyouj_store::Reader;
use areyouj_tests::home::{TestHome, process_id};
use nix::poll::{PollTimeout, poll};

use crate::Bench;
use crate::home::{idle_sessions, serving};
use crate::processes::{Owned, command};
use crate::report::{Figure, Goal};

const SESSIONS: usize = 100;

/// Transcript entries of all sessions together, and the length of each.
const ENTRIES: u64 = 1_000_000;
const ENTRY_BYTES: usize = 500;

/// Entries in one transaction.
const BATCH: usize = 5_000;

const ROUNDS: usize = 9;

/// A pause that a person does not notice.
const GOAL_MS: f64 = 300.0;

/// How long a daemon may take before something is wrong.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks at the journals.
const LOOK_MS: u8 = 1;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let home = serving("obedient", SESSIONS)?;
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
    // Sessions that were found were spoken to.
    sessions.iter().for_each(|id| drop(home.send_and_wait(id, "hello")));
    let (mut answered, mut followed) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        home.kill(home.daemon_pid());
        let (answer, all) = come_back(&home, &journals)?;
        // The first round does not count: files are read into memory in it.
        if round > 0 {
            answered.push(answer);
            followed.push(all);
        }
    }
    ensure!(hosts(&home) == before, "not all sessions kept their processes");
    // Followed is more than found: what is said gets to Claude, and what Claude says is heard.
    sessions.iter().for_each(|id| drop(home.send_and_wait(id, "hello again")));
    for (what, ours, goal) in [
        ("the first command is answered, which starts the daemon", answered, Goal::None),
        ("all 100 sessions are followed, 1M entries in the store", followed, Goal::AtMost(GOAL_MS)),
    ] {
        bench.report.add(Figure { what: what.to_owned(), unit: "ms", percent: 50.0, ours, peer: None, goal });
    }
    Ok(())
}

/// Asks for the list, which starts a daemon. When the answer was there, and when every host had been told by the new
/// daemon to ask Claude what is open: a daemon does so once it has found the host and taken in all that it recorded.
/// The host writes that down before it does it, and nothing else is written by idle sessions.
fn come_back(home: &TestHome, journals: &[PathBuf]) -> Result<(f64, f64)> {
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
            poll(&mut [], PollTimeout::from(LOOK_MS))?;
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

/// The bytes in a journal.
fn length(journal: &Path) -> Result<u64> {
    let segments = fs::read_dir(journal).with_context(|| format!("no journal at {}", journal.display()))?;
    segments.map(|segment| Ok(segment?.metadata()?.len())).sum()
}

/// Writes the history of a long time into a database that no daemon has open.
fn fill(database: &Path) -> Result<()> {
    let (mut committer, snapshot) = areyouj_store::open(database)?;
    let share = ENTRIES / snapshot.sessions.len().max(1) as u64;
    let words = "what was said in a turn, ".repeat(ENTRY_BYTES / 25);
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
        for batch in entries.chunks(BATCH) {
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
