//! Flipped bits on the disk: in the database, in its write-ahead log, in a session's journal.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Trial;
use super::arena::{Arena, SessionState};
use crate::home::text_of;
use crate::processes;

/// The number of sessions.
const SESSIONS: usize = 3;

/// The error codes that a command can return for a damaged database.
const DAMAGE_CODES: &[&str] =
    &["database_damaged", "database_newer", "storage_failed", "daemon_start_failed"];

/// How long a command can take, with any damage.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// The length in bytes of the end of a journal in which bits are flipped: the part that the next daemon reads.
const UNREAD_JOURNAL_BYTES: u64 = 2 << 10;

/// Uses the Claude stand-in, because only AreYouJ's own files are damaged.
pub(super) fn bits(trial: &mut Trial) -> Result<()> {
    let arena = Arena::stand_in("obedient", 20)?;
    let ids = arena.sessions(SESSIONS)?;
    let mut acknowledged = Vec::new();
    let (mut detected, mut undetected) = (0, 0);
    for round in 0..trial.rounds {
        for id in &ids {
            let text = format!("round {round} {}", "lorem ipsum ".repeat(trial.random.usize(..100)));
            acknowledged.push((id.clone(), text_of(&arena.json(&["send", id, text.trim()])?, "id")));
        }
        trial.any_moment(Duration::from_millis(30));
        let before: Vec<SessionState> =
            ids.iter().map(|id| arena.session_state(id)).collect::<Result<_>>()?;
        arena.kill(arena.daemon()?)?;
        match trial.random.u8(..3) {
            0 => journal(trial, &arena, &ids)?,
            kind => {
                let database = arena.home().join("data/areyouj.db");
                let damaged = if kind == 1 { database } else { arena.home().join("data/areyouj.db-wal") };
                if fs::metadata(&damaged).is_ok_and(|metadata| metadata.len() > 0) {
                    let reported = self::database(trial, &arena, &damaged)?;
                    detected += u32::from(reported);
                    undetected += u32::from(!reported);
                }
            }
        }
        for (id, before) in ids.iter().zip(before) {
            let now = arena.until_session(id, "settles", |found| {
                found.status == "idle" || found.status == "error" || found.undecided.is_some()
            })?;
            trial.must(now.conversation == before.conversation && now.error.is_none(), || {
                format!("session {id} was {before:?} and is {now:?}")
            });
            if let Some(message) = &now.undecided {
                arena.cli.run(&["queue", "skip", message])?;
            }
        }
    }
    for (session, message) in &acknowledged {
        let found = arena.messages(session)?.iter().any(|row| row["id"] == **message);
        trial.must(found, || format!("message {message} of {session} is lost"));
    }
    trial.figure("flips", trial.rounds);
    trial.figure("in the database or its log: detected, not detected", format!("{detected}, {undetected}"));
    trial.figure("messages acknowledged, none lost", acknowledged.len());
    arena.close()
}

/// Flips bits in one of the database files, checks the reaction of the daemon, and restores the files. Returns whether
/// the daemon reported the damage.
fn database(trial: &mut Trial, arena: &Arena, damaged: &Path) -> Result<bool> {
    let files = Files::read(&arena.home().join("data"))?;
    let length = fs::metadata(damaged)?.len();
    flip(trial, damaged, 0..length)?;
    let flipped = fs::read(damaged)?;
    let start = Instant::now();
    let run = arena.cli.run_within(&["ls", "--json"], RESPONSE_TIMEOUT);
    let run = match run {
        Ok(run) => run,
        Err(error) => {
            trial.violation(format!("a flipped bit in {} hangs the daemon: {error:#}", damaged.display()));
            files.restore()?;
            return Ok(false);
        }
    };
    let reported = run.status != 0;
    if reported {
        let code = run.error()?["code"].as_str().map(str::to_owned).unwrap_or_default();
        trial.must(DAMAGE_CODES.contains(&code.as_str()), || {
            format!("a flipped bit was answered with {code}")
        });
        let unchanged = fs::read(damaged).is_ok_and(|now| now == flipped);
        trial.must(unchanged, || format!("{} was changed although it was rejected", damaged.display()));
    }
    trial.must(start.elapsed() < RESPONSE_TIMEOUT, || "a flipped bit delays a command".to_owned());
    // A daemon that started despite the damage must not write into the restored files.
    let status = arena.json(&["daemon", "status"])?;
    if let Some(pid) = status["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = processes::kill(pid);
        processes::wait_for_exit(pid, RESPONSE_TIMEOUT);
    }
    files.restore()?;
    Ok(reported)
}

/// Flips bits in the part of a session's journal that the daemon has not read yet. The session keeps running.
fn journal(trial: &mut Trial, arena: &Arena, ids: &[String]) -> Result<()> {
    let id = &ids[trial.random.usize(..ids.len())];
    let directory = arena.home().join("state/sessions").join(id).join("journal");
    let mut segments: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    segments.sort();
    let newest = segments.last().context("a session without a journal")?;
    let length = fs::metadata(newest)?.len();
    flip(trial, newest, length.saturating_sub(UNREAD_JOURNAL_BYTES)..length)
}

/// Flips a test_rounds random bits in this part of a file.
fn flip(trial: &mut Trial, path: &Path, part: std::ops::Range<u64>) -> Result<()> {
    let mut bytes = fs::read(path)?;
    for _ in 0..trial.random.u8(1..4) {
        if !part.is_empty() {
            let index = usize::try_from(trial.random.u64(part.clone()))?;
            bytes[index] ^= 1 << trial.random.u8(..8);
        }
    }
    use std::os::unix::fs::FileExt;
    // Write in place: the host keeps writing to this file.
    let file = fs::OpenOptions::new().write(true).open(path)?;
    let (start, end) = (usize::try_from(part.start)?, usize::try_from(part.end)?);
    file.write_all_at(&bytes[start..end], part.start)?;
    Ok(())
}

/// The files of a directory, with their contents.
struct Files {
    directory: PathBuf,
    contents: Vec<(PathBuf, Vec<u8>)>,
}

impl Files {
    fn read(directory: &Path) -> Result<Files> {
        let mut contents = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            contents.push((path.clone(), fs::read(path)?));
        }
        Ok(Files { directory: directory.to_owned(), contents })
    }

    fn restore(self) -> Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            fs::remove_file(entry?.path())?;
        }
        for (path, bytes) in self.contents {
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}
