//! Time that goes wrong: processes that stand still for a while, and a clock that is set.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Trial;
use super::arena::Arena;
use super::kills::{Field, Size};
use super::ledger::Rules;
use super::load::Fate;

/// How long a process stands still in a full run.
const STILL: Duration = Duration::from_secs(10);

/// How far the clock is set.
const HOUR: i64 = 3_600;

/// Daemon, hosts and Claudes are stopped for a while and go on.
pub(super) fn stopped(trial: &mut Trial) -> Result<()> {
    let field = Field::new(trial, &few(trial), Fate::Served)?;
    let still = if trial.full { STILL } else { STILL / 10 };
    for round in 0..trial.rounds {
        let id = field.any_talking(trial);
        let found = field.running(&id)?;
        let (who, pid) = match round % 3 {
            0 => ("the daemon", field.arena.daemon()?),
            1 => ("a host", found.host.context("no host")?),
            _ => ("a Claude", found.pid.context("no Claude")?),
        };
        let process = Pid::from_raw(pid);
        kill(process, Signal::SIGSTOP)?;
        trial.any_moment(Duration::ZERO);
        let stopped_for = std::time::Instant::now();
        if who != "the daemon" {
            // The daemon does not stand still with it.
            let answered = field.arena.answers()?;
            trial.must(answered < still.max(Duration::from_secs(5)), || {
                format!("with {who} stopped, the daemon took {answered:?} to answer")
            });
        }
        while let Some(left) = still.checked_sub(stopped_for.elapsed()) {
            std::thread::park_timeout(left);
        }
        kill(process, Signal::SIGCONT)?;
        trial.any_moment(Duration::from_secs(1));
    }
    trial.figure("times that a process stood still", format!("{} x {still:?}", trial.rounds));
    field.close(trial, Rules::default())
}

/// The daemon's clock is set forth and back by an hour.
pub(super) fn clock(trial: &mut Trial) -> Result<()> {
    let Some(library) = faketime() else {
        trial.report.skipped = Some("libfaketime is not installed (apt-get install faketime)".to_owned());
        return Ok(());
    };
    let size = few(trial);
    let arena = Arena::new(u32::try_from(size.talking + size.asking)?)?;
    let shift = arena.home().join("clock");
    let field = Field::within(arena, trial, &size, Fate::Served, |arena| {
        fs::write(&shift, "+0")?;
        // Not Claude, which has the environment of the client that created its session. A monotonic clock is never
        // set, neither here nor anywhere.
        arena.set("LD_PRELOAD", &library.to_string_lossy());
        arena.set("FAKETIME_TIMESTAMP_FILE", &shift.to_string_lossy());
        arena.set("FAKETIME_NO_CACHE", "1");
        arena.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        arena.kill(arena.daemon()?)
    })?;
    let daemon = field.arena.daemon()?;
    let loaded = fs::read_to_string(format!("/proc/{daemon}/maps"))?.contains("libfaketime");
    trial.must(loaded, || "the daemon's clock cannot be set".to_owned());
    for _ in 0..trial.rounds {
        let seconds = if trial.random.bool() { HOUR } else { -HOUR } + trial.random.i64(-1..=1);
        fs::write(&shift, format!("{seconds:+}"))?;
        trial.any_moment(Duration::from_secs(2));
        let answered = field.arena.answers()?;
        trial.must(answered < Duration::from_secs(5), || {
            format!("with the clock set by {seconds} s the daemon took {answered:?} to answer")
        });
    }
    let same = field.arena.daemon()?;
    trial.must(same == daemon, || "the daemon did not survive its clock".to_owned());
    trial.figure("times that the clock was set", trial.rounds);
    field.close(trial, Rules { clock: true, ..Rules::default() })
}

/// The library that sets the clock for a single program, where Debian has it for this machine.
fn faketime() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    places.map(|place| place.path().join("faketime/libfaketime.so.1")).find(|library| library.is_file())
}

fn few(trial: &Trial) -> Size {
    if trial.full {
        Size { talking: 6, asking: 2, producers: 6 }
    } else {
        Size { talking: 2, asking: 1, producers: 2 }
    }
}
