//! Faults of time: processes that are stopped for a while, and a clock that is changed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Trial;
use super::arena::{Arena, EVENT_TIMEOUT};
use super::kills::{Size, Workload};
use super::ledger::Rules;
use super::load::Tolerance;
use crate::cli::Running;

/// How long a process is stopped in a full run.
const STOPPED_FOR: Duration = Duration::from_secs(10);

/// How far the clock is changed, in seconds.
const CLOCK_CHANGE_S: i64 = 3_600;

/// Stops a daemon, a host or a Claude for a while, then continues it.
pub(super) fn stopped(trial: &mut Trial) -> Result<()> {
    let workload = Workload::new(trial, &size(trial), Tolerance::Nothing)?;
    let pause = if trial.full { STOPPED_FOR } else { STOPPED_FOR / 10 };
    for round in 0..trial.rounds {
        let id = workload.any_busy(trial);
        let found = workload.running(&id)?;
        let (name, pid) = match round % 3 {
            0 => ("the daemon", workload.arena.daemon()?),
            1 => ("a host", found.host.context("no host")?),
            _ => ("a Claude", found.pid.context("no Claude")?),
        };
        let process = Pid::from_raw(pid);
        kill(process, Signal::SIGSTOP)?;
        trial.any_moment(Duration::ZERO);
        let stopped_for = std::time::Instant::now();
        if name != "the daemon" {
            // The daemon must keep responding.
            let answered = workload.arena.response_time()?;
            trial.must(answered < pause.max(Duration::from_secs(5)), || {
                format!("with {name} stopped, the daemon took {answered:?} to answer")
            });
        }
        while let Some(left) = pause.checked_sub(stopped_for.elapsed()) {
            std::thread::park_timeout(left);
        }
        kill(process, Signal::SIGCONT)?;
        trial.any_moment(Duration::from_secs(1));
    }
    trial.figure("times that a process was stopped", format!("{} x {pause:?}", trial.rounds));
    workload.close(trial, Rules::default())
}

/// Sets the daemon's clock forward and back by an hour.
pub(super) fn clock(trial: &mut Trial) -> Result<()> {
    let Some(library) = faketime() else {
        trial.report.skipped = Some("libfaketime is not installed (apt-get install faketime)".to_owned());
        return Ok(());
    };
    let size = size(trial);
    let arena = Arena::new(u32::try_from(size.busy + size.waiting)?)?;
    let shift = arena.home().join("clock");
    let mut started = None;
    let workload = Workload::within(arena, trial, &size, Tolerance::Nothing, |arena| {
        fs::write(&shift, "+0")?;
        arena.kill(arena.daemon()?)?;
        // Started by hand, because a daemon that a client starts has nothing of the client's environment. The monotonic
        // clock is never changed, as on a real machine.
        let cli = (arena.cli.clone().with("LD_PRELOAD", &library).with("FAKETIME_TIMESTAMP_FILE", &shift))
            .with("FAKETIME_NO_CACHE", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let mut daemon = Running::start(&cli, &["daemon", "run"])?;
        daemon.line(EVENT_TIMEOUT)?;
        started = Some(daemon);
        Ok(())
    })?;
    let daemon = workload.arena.daemon()?;
    let loaded = fs::read_to_string(format!("/proc/{daemon}/maps"))?.contains("libfaketime");
    trial.must(loaded, || "the daemon's clock cannot be set".to_owned());
    for _ in 0..trial.rounds {
        let seconds =
            if trial.random.bool() { CLOCK_CHANGE_S } else { -CLOCK_CHANGE_S } + trial.random.i64(-1..=1);
        fs::write(&shift, format!("{seconds:+}"))?;
        trial.any_moment(Duration::from_secs(2));
        let answered = workload.arena.response_time()?;
        trial.must(answered < Duration::from_secs(5), || {
            format!("with the clock changed by {seconds} s, the daemon took {answered:?} to answer")
        });
    }
    let same = workload.arena.daemon()?;
    trial.must(same == daemon, || "the daemon restarted because of the clock".to_owned());
    trial.figure("times that the clock was changed", trial.rounds);
    workload.close(trial, Rules { clock: true, ..Rules::default() })?;
    drop(started);
    Ok(())
}

/// The path of the library that changes the clock of a single program, in Debian's location.
fn faketime() -> Option<PathBuf> {
    let directories = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    directories
        .map(|directory| directory.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.is_file())
}

fn size(trial: &Trial) -> Size {
    if trial.full {
        Size { busy: 6, waiting: 2, producers: 6 }
    } else {
        Size { busy: 2, waiting: 1, producers: 2 }
    }
}
