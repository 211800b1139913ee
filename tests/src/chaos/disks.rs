//! Disks that are full, and disks that lose their power.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::Connection;

use super::Trial;
use super::arena::{Arena, PATIENCE};
use super::disk::Disk;
use super::kills::{Field, Size};
use super::ledger::Rules;
use super::load::Fate;

/// Megabytes of the disk that gets full.
const SMALL: u64 = 64;

/// Megabytes of the disk that loses its power: enough that the write-ahead log is laid out on it.
const LARGE: u64 = 512;

/// Power cuts that a writer may survive by luck which does not wait for the disk.
const MOST_CONTROLS: u32 = 20;

/// What clients may be told while the disk is full.
const FULL: Fate = Fate::Refused(&["storage_full"]);

/// What clients may be told while the disk is gone.
const GONE: Fate = Fate::Refused(&[
    "storage_failed",
    "storage_full",
    "database_damaged",
    "daemon_unavailable",
    "daemon_start_failed",
]);

/// A disk is filled to the last byte, again and again.
pub(super) fn full(trial: &mut Trial) -> Result<()> {
    let Some(disk) = disk(trial, SMALL)? else { return Ok(()) };
    let size = Size { talking: 3, asking: 1, producers: 4 };
    let arena = Arena::at(&disk.home(), 4)?;
    let field = Field::within(arena, trial, &size, FULL, |_| Ok(()))?;
    let (mut refusals, mut recoveries) = (0, Vec::new());
    for _ in 0..trial.rounds {
        trial.any_moment(Duration::from_secs(1));
        let filler = disk.root().join("filler");
        fill(&filler)?;
        // New work is refused in clear words, sooner or later: what was there may still give a little room.
        let refused = refused(&field)?;
        trial.must(refused.as_deref() == Some("storage_full"), || {
            format!("with a full disk a message was answered with {refused:?}")
        });
        refusals += u32::from(refused.is_some());
        trial.any_moment(Duration::from_secs(2));
        fs::remove_file(&filler)?;
        let room = Instant::now();
        let id = field.any_talking(trial);
        field.arena.until_session(&id, "goes on by itself", |_| true)?;
        while field.arena.cli.run(&["queue", "resume", &id])?.status != 0 {
            anyhow::ensure!(room.elapsed() < PATIENCE, "nothing can be done though there is room");
            thread::park_timeout(Duration::from_millis(50));
        }
        recoveries.push(room.elapsed());
    }
    trial.figure("times that the disk was full to the last byte", trial.rounds);
    trial.figure("clear refusals", refusals);
    trial.times("from room on the disk to work that is taken", &mut recoveries);
    field.close(trial, Rules::default())
}

/// The power fails under load.
pub(super) fn power(trial: &mut Trial) -> Result<()> {
    let Some(disk) = disk(trial, LARGE)? else { return Ok(()) };
    let size = Size { talking: 4, asking: 0, producers: 6 };
    let arena = Arena::at(&disk.home(), 4)?;
    let field = Field::within(arena, trial, &size, GONE, |_| Ok(()))?;
    let mut resumed = 0;
    for _ in 0..trial.rounds {
        trial.any_moment(Duration::from_secs(3));
        field.load.lose_power();
        disk.cut_power()?;
        field.kill_all()?;
        disk.remount()?;
        field.load.set_down(false);
        resumed += field.all_back(trial)?;
    }
    trial.figure("power cuts", trial.rounds);
    trial.figure("sessions resumed", format!("{resumed} of {}", trial.rounds as usize * field.before.len()));
    field.close(trial, Rules { cuts: true, ..Rules::default() })?;
    let lost = control(trial, &disk)?;
    trial.figure("negative control: acknowledged rows lost with synchronous=NORMAL", lost);
    trial.must(lost > 0, || "the negative control lost nothing, so this proves nothing".to_owned());
    Ok(())
}

/// The same cuts under a writer that acknowledges without waiting for the disk. Returns how many rows were lost.
fn control(trial: &mut Trial, disk: &Disk) -> Result<i64> {
    let path = disk.root().join("control.db");
    let open = || -> Result<Connection> {
        let connection = Connection::open(&path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(connection)
    };
    open()?.execute_batch("CREATE TABLE rows (number INTEGER PRIMARY KEY)")?;
    disk.remount()?;
    let mut lost = 0;
    // A cut may come just after SQLite has brought everything to disk.
    for round in 0..trial.rounds.max(MOST_CONTROLS) {
        if round >= trial.rounds && lost > 0 {
            break;
        }
        let first: i64 =
            open()?.query_row("SELECT coalesce(max(number), 0) FROM rows", [], |row| row.get(0))?;
        let acknowledged = AtomicI64::new(first);
        thread::scope(|scope| -> Result<()> {
            let writer = scope.spawn(|| -> Result<()> {
                let connection = open()?;
                for number in first + 1.. {
                    match connection.execute("INSERT INTO rows VALUES (?1)", [number]) {
                        Ok(_) => acknowledged.store(number, Ordering::SeqCst),
                        Err(error) if number == first + 1 => return Err(error.into()),
                        Err(_) => break,
                    }
                }
                Ok(())
            });
            while acknowledged.load(Ordering::SeqCst) == first && !writer.is_finished() {
                thread::yield_now();
            }
            trial.any_moment(Duration::from_millis(300));
            disk.cut_power()?;
            writer.join().ok().context("the writer panicked")??;
            Ok(())
        })?;
        disk.remount()?;
        let kept: i64 =
            open()?.query_row("SELECT coalesce(max(number), 0) FROM rows", [], |row| row.get(0))?;
        lost += acknowledged.load(Ordering::SeqCst) - kept;
    }
    Ok(lost)
}

fn disk(trial: &mut Trial, megabytes: u64) -> Result<Option<Disk>> {
    match Disk::new(megabytes)? {
        Ok(disk) => Ok(Some(disk)),
        Err(why) => {
            trial.report.skipped = Some(why);
            Ok(None)
        }
    }
}

/// Fills the disk that this file is on to its last byte.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let mut piece = vec![0xA5; 1 << 20];
    while !piece.is_empty() {
        match file.write(&piece) {
            Ok(written) if written == piece.len() => {}
            // Less and less at a time, down to a single byte.
            _ => piece.truncate(piece.len() / 2),
        }
    }
    let _ = file.sync_all();
    Ok(())
}

/// Sends until a message is refused, and returns the code.
fn refused(field: &Field) -> Result<Option<String>> {
    let id = field.talking.first().context("no session")?;
    for number in 0..100 {
        let text = format!("to a full disk {number}");
        let run = field.arena.cli.run(&["send", id, &text, "--json"])?;
        if run.status != 0 {
            return Ok(run.error()?["code"].as_str().map(str::to_owned));
        }
        field.load.ledger.acknowledged(id, run.json()?["id"].as_str().unwrap_or_default(), &text);
    }
    Ok(None)
}
