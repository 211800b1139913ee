//! Many clients that need a daemon at the same time while none is running.

use std::sync::Barrier;
use std::thread;

use anyhow::{Result, ensure};

use super::Trial;
use super::arena::{Arena, EVENT_TIMEOUT};
use crate::cli::{Run, Running};
use crate::home::{rows, texts};

/// The number of sessions that are requested at the same time.
const SESSIONS: usize = 20;

/// The number of daemons that are started manually at the same time.
const DAEMONS: usize = 4;

/// Uses the Claude stand-in, because starting twenty real Claudes repeatedly would be too expensive.
pub(super) fn daemons(trial: &mut Trial) -> Result<()> {
    let (mut created, mut rejected) = (0, 0);
    for round in 0..trial.rounds {
        // A limit that fits the requests, and a lower one: a rejected request must report the limit and leave nothing
        // behind.
        let limit = if round % 2 == 0 { SESSIONS } else { SESSIONS / 2 };
        let arena = Arena::stand_in("obedient", u32::try_from(limit)?)?;
        let directory = arena.project("project")?;
        let runs = at_once(SESSIONS, || arena.cli.run(&["new", &directory.to_string_lossy(), "--json"]));
        let mut ids = Vec::new();
        for run in runs {
            let run = run?;
            if run.status == 0 {
                ids.push(run.json()?["id"].as_str().unwrap_or_default().to_owned());
                continue;
            }
            let error = run.error()?;
            trial.must(error["code"] == "too_many_sessions", || format!("an unexpected error: {error}"));
            rejected += 1;
        }
        trial.must(ids.len() == limit, || {
            format!("{} sessions were created, with a limit of {limit}", ids.len())
        });
        for id in &ids {
            arena.wait(id, "idle")?;
        }
        let mut listed = texts(&rows(&arena.json(&["ls"])?, "sessions"), "id");
        listed.sort();
        ids.sort();
        trial.must(listed == ids, || format!("{ids:?} were created, {listed:?} are listed"));
        only_one_daemon(trial, &arena);
        let hosts = processes_named(&arena, "areyouj-host");
        trial.must(hosts == ids.len(), || format!("{hosts} hosts for {} sessions", ids.len()));
        created += ids.len();
        started_manually(trial, &arena)?;
        arena.close()?;
    }
    trial.figure("sessions requested at the same time", format!("{} x {SESSIONS}", trial.rounds));
    trial.figure("of them created, rejected by the limit", format!("{created}, {rejected}"));
    Ok(())
}

/// Starts several daemons concurrently: one must serve, and the others must report the reason and exit.
fn started_manually(trial: &mut Trial, arena: &Arena) -> Result<()> {
    arena.kill(arena.daemon()?)?;
    let mut daemons: Vec<Running> =
        (0..DAEMONS).map(|_| Running::start(&arena.cli, &["daemon", "run"])).collect::<Result<_>>()?;
    let mut serve = 0;
    let mut left = Vec::new();
    for mut daemon in daemons.drain(..) {
        if daemon.line(EVENT_TIMEOUT)? == "ready" {
            serve += 1;
            left.push(daemon);
        } else {
            let run = daemon.finish(EVENT_TIMEOUT)?;
            trial.must(run.status == 1, || format!("an unneeded daemon did not exit with 1: {run}"));
        }
    }
    trial.must(serve == 1, || format!("{serve} of {DAEMONS} daemons serve"));
    only_one_daemon(trial, arena);
    arena.ok(&["daemon", "stop"])?;
    for daemon in left {
        ensure!(daemon.finish(EVENT_TIMEOUT).and_then(Run::success).is_ok(), "a daemon did not exit cleanly");
    }
    Ok(())
}

fn only_one_daemon(trial: &mut Trial, arena: &Arena) {
    let daemons = processes_named(arena, "daemon run");
    trial.must(daemons == 1, || format!("{daemons} daemons are running: {:#?}", arena.processes()));
}

fn processes_named(arena: &Arena, name: &str) -> usize {
    arena.processes().iter().filter(|process| process.command.contains(name)).count()
}

/// Calls a function this many times at the same time.
fn at_once<T: Send>(times: usize, what: impl Fn() -> T + Sync) -> Vec<T> {
    let (barrier, what) = (Barrier::new(times), &what);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..times)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    what()
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}
