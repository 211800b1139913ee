//! Disks that are full, and disks that lose power.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::Connection;

use super::Trial;
use super::arena::{Arena, EVENT_TIMEOUT};
use super::disk::Disk;
use super::kills::{Size, Workload};
use super::ledger::Rules;
use super::load::Tolerance;

/// The size of the disk that is filled.
const FULL_DISK_MB: u64 = 64;

/// The size of the disk that loses power: large enough that the write-ahead log is preallocated on it.
const POWER_DISK_MB: u64 = 512;

/// The maximum number of power failures that a writer without syncing can survive by chance.
const CONTROL_ROUNDS_MAX: u32 = 20;

/// The errors that clients can receive while the disk is full.
const FULL_DISK_ERRORS: Tolerance = Tolerance::KillsAndErrors(&["storage_full"]);

/// The errors that clients can receive while the disk is unavailable.
const POWER_FAILURE_ERRORS: Tolerance = Tolerance::KillsAndErrors(&[
    "storage_failed",
    "storage_full",
    "database_damaged",
    "daemon_unavailable",
    "daemon_start_failed",
]);

/// Fills a disk completely, repeatedly.
pub(super) fn full(trial: &mut Trial) -> Result<()> {
    let Some(disk) = disk(trial, FULL_DISK_MB)? else { return Ok(()) };
    let size = Size { busy: 3, waiting: 1, producers: 4 };
    let arena = Arena::at(&disk.home(), 4)?;
    let workload = Workload::within(arena, trial, &size, FULL_DISK_ERRORS, |_| Ok(()))?;
    let (mut rejections, mut recoveries) = (0, Vec::new());
    for _ in 0..trial.rounds {
        trial.any_moment(Duration::from_secs(1));
        let filler = disk.root().join("filler");
        fill(&filler)?;
        // New work is rejected with a clear error, sooner or later: existing files can still have a little free space.
        let code = rejection_code(&workload)?;
        trial.must(code.as_deref() == Some("storage_full"), || {
            format!("with a full disk, a message was answered with {code:?}")
        });
        rejections += u32::from(code.is_some());
        trial.any_moment(Duration::from_secs(2));
        fs::remove_file(&filler)?;
        let freed = Instant::now();
        let id = workload.any_busy(trial);
        workload.arena.until_session(&id, "resumes automatically", |_| true)?;
        while workload.arena.cli.run(&["queue", "resume", &id])?.status != 0 {
            anyhow::ensure!(
                freed.elapsed() < EVENT_TIMEOUT,
                "the queue cannot be resumed although there is free space"
            );
            thread::park_timeout(Duration::from_millis(50));
        }
        recoveries.push(freed.elapsed());
    }
    trial.figure("times that the disk was completely full", trial.rounds);
    trial.figure("rejections with a clear error", rejections);
    trial.times("from free space on the disk to accepted work", &mut recoveries);
    workload.close(trial, Rules::default())
}

/// Cuts the power under load.
pub(super) fn power(trial: &mut Trial) -> Result<()> {
    let Some(disk) = disk(trial, POWER_DISK_MB)? else { return Ok(()) };
    let size = Size { busy: 4, waiting: 0, producers: 6 };
    let arena = Arena::at(&disk.home(), 4)?;
    let workload = Workload::within(arena, trial, &size, POWER_FAILURE_ERRORS, |_| Ok(()))?;
    let mut resumed = 0;
    for _ in 0..trial.rounds {
        trial.any_moment(Duration::from_secs(3));
        workload.load.lose_power();
        disk.cut_power()?;
        workload.kill_all()?;
        disk.remount()?;
        workload.load.set_down(false);
        resumed += workload.all_back(trial)?;
    }
    trial.figure("power failures", trial.rounds);
    workload.show_resumed(trial, resumed);
    workload.close(trial, Rules { interruptions: true, ..Rules::default() })?;
    let lost = control(trial, &disk)?;
    trial.figure("negative control: acknowledged rows lost with synchronous=NORMAL", lost);
    trial.must(lost > 0, || "the negative control lost nothing, so the result is meaningless".to_owned());
    Ok(())
}

/// The same power failures with a writer that acknowledges without waiting for the disk. Returns the number of lost
/// rows.
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
    // A power failure can happen just after SQLite has synced everything.
    for round in 0..trial.rounds.max(CONTROL_ROUNDS_MAX) {
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

/// Fills the disk of this file completely.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let mut chunk = vec![0xA5; 1 << 20];
    while !chunk.is_empty() {
        match file.write(&chunk) {
            Ok(written) if written == chunk.len() => {}
            // Write less and less at a time, down to a single byte.
            _ => chunk.truncate(chunk.len() / 2),
        }
    }
    let _ = file.sync_all();
    Ok(())
}

/// Sends messages until one is rejected, and returns the error code.
fn rejection_code(workload: &Workload) -> Result<Option<String>> {
    let id = workload.busy.first().context("no session")?;
    for number in 0..100 {
        let text = format!("to a full disk {number}");
        let run = workload.arena.cli.run(&["send", id, &text, "--json"])?;
        if run.status != 0 {
            return Ok(run.error()?["code"].as_str().map(str::to_owned));
        }
        workload.load.ledger.acknowledged(id, run.json()?["id"].as_str().unwrap_or_default(), &text);
    }
    Ok(None)
}
