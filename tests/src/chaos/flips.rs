//! Bits that flip on the disk: in the database, in its write-ahead log, in a session's journal.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Trial;
use super::arena::{Arena, Found};
use crate::home::text_of;
use crate::processes;

/// Sessions that are there.
const SESSIONS: usize = 3;

/// What a command may say about a damaged database.
const CLEAR: &[&str] = &["database_damaged", "database_newer", "storage_failed", "daemon_start_failed"];

/// How long a command may take, whatever the damage is.
const ANSWER: Duration = Duration::from_secs(20);

/// The end of a journal in which a bit is flipped: what the next daemon has yet to read.
const UNREAD: u64 = 2 << 10;

/// The stand-in: what is damaged are our own files.
pub(super) fn bits(trial: &mut Trial) -> Result<()> {
    let arena = Arena::stand_in("obedient", 20)?;
    let ids = arena.sessions(SESSIONS)?;
    let mut told = Vec::new();
    let (mut refused, mut unnoticed) = (0, 0);
    for round in 0..trial.rounds {
        for id in &ids {
            let text = format!("round {round} {}", "lorem ipsum ".repeat(trial.random.usize(..100)));
            told.push((id.clone(), text_of(&arena.json(&["send", id, text.trim()])?, "id")));
        }
        trial.any_moment(Duration::from_millis(30));
        let before: Vec<Found> = ids.iter().map(|id| arena.find(id)).collect::<Result<_>>()?;
        arena.kill(arena.daemon()?)?;
        match trial.random.u8(..3) {
            0 => journal(trial, &arena, &ids)?,
            kind => {
                let database = arena.home().join("data/areyouj.db");
                let damaged = if kind == 1 { database } else { arena.home().join("data/areyouj.db-wal") };
                if fs::metadata(&damaged).is_ok_and(|metadata| metadata.len() > 0) {
                    let clear = self::database(trial, &arena, &damaged)?;
                    refused += u32::from(clear);
                    unnoticed += u32::from(!clear);
                }
            }
        }
        for (id, before) in ids.iter().zip(before) {
            let now = arena.until_session(id, "comes to rest", |found| {
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
    for (session, message) in &told {
        let there = arena.messages(session)?.iter().any(|row| row["id"] == **message);
        trial.must(there, || format!("message {message} of {session} is lost"));
    }
    trial.figure("flips", trial.rounds);
    trial.figure("in the database or its log: refused, not noticed", format!("{refused}, {unnoticed}"));
    trial.figure("messages acknowledged, all there", told.len());
    arena.close()
}

/// Flips bits in one of the database's files, looks what the daemon makes of it, and puts the files back. True if the
/// damage was told in clear words.
fn database(trial: &mut Trial, arena: &Arena, damaged: &Path) -> Result<bool> {
    let files = Files::read(&arena.home().join("data"))?;
    let length = fs::metadata(damaged)?.len();
    flip(trial, damaged, 0..length)?;
    let flipped = fs::read(damaged)?;
    let asked = Instant::now();
    let run = arena.cli.run_within(&["ls", "--json"], ANSWER);
    let run = match run {
        Ok(run) => run,
        Err(error) => {
            trial.broken(format!("a flipped bit in {} hangs the daemon: {error:#}", damaged.display()));
            files.put_back()?;
            return Ok(false);
        }
    };
    let clear = run.status != 0;
    if clear {
        let code = run.error()?["code"].as_str().map(str::to_owned).unwrap_or_default();
        trial.must(CLEAR.contains(&code.as_str()), || format!("a flipped bit was answered with {code}"));
        let whole = fs::read(damaged).is_ok_and(|now| now == flipped);
        trial.must(whole, || format!("{} was changed although it was refused", damaged.display()));
    }
    trial.must(asked.elapsed() < ANSWER, || "a flipped bit holds a command up".to_owned());
    // The daemon that went on with the damage is not to write into what is put back.
    let status = arena.json(&["daemon", "status"])?;
    if let Some(pid) = status["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = processes::kill(pid);
        processes::wait_for_exit(pid, ANSWER);
    }
    files.put_back()?;
    Ok(clear)
}

/// Flips bits in what a daemon has yet to read of a session's journal. The session goes on.
fn journal(trial: &mut Trial, arena: &Arena, ids: &[String]) -> Result<()> {
    let id = &ids[trial.random.usize(..ids.len())];
    let directory = arena.home().join("state/sessions").join(id).join("journal");
    let mut segments: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    segments.sort();
    let newest = segments.last().context("a session without a journal")?;
    let length = fs::metadata(newest)?.len();
    flip(trial, newest, length.saturating_sub(UNREAD)..length)
}

/// Flips a few bits somewhere in this part of a file.
fn flip(trial: &mut Trial, path: &Path, part: std::ops::Range<u64>) -> Result<()> {
    let mut bytes = fs::read(path)?;
    for _ in 0..trial.random.u8(1..4) {
        if !part.is_empty() {
            let place = usize::try_from(trial.random.u64(part.clone()))?;
            bytes[place] ^= 1 << trial.random.u8(..8);
        }
    }
    use std::os::unix::fs::FileExt;
    // In place: the host goes on writing to this very file.
    let file = fs::OpenOptions::new().write(true).open(path)?;
    let (start, end) = (usize::try_from(part.start)?, usize::try_from(part.end)?);
    file.write_all_at(&bytes[start..end], part.start)?;
    Ok(())
}

/// The files of a directory, with what was in them.
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

    fn put_back(self) -> Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            fs::remove_file(entry?.path())?;
        }
        for (path, bytes) in self.contents {
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}
