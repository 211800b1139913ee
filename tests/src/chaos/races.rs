//! Many who want a daemon at the same instant, and none is there.

use std::sync::Barrier;
use std::thread;

use anyhow::{Result, ensure};

use super::Trial;
use super::arena::{Arena, PATIENCE};
use crate::cli::{Run, Running};
use crate::home::{rows, texts};

/// Sessions that are asked for at the same instant.
const NEW: usize = 20;

/// Daemons that are started by hand at the same instant.
const DAEMONS: usize = 4;

/// The stand-in: twenty real Claudes would be too heavy to be started again and again.
pub(super) fn daemons(trial: &mut Trial) -> Result<()> {
    let (mut created, mut refused) = (0, 0);
    for round in 0..trial.rounds {
        // As many as asked for, and fewer: who is not let in is told so and leaves nothing behind.
        let limit = if round % 2 == 0 { NEW } else { NEW / 2 };
        let arena = Arena::stand_in("obedient", u32::try_from(limit)?)?;
        let directory = arena.project("project")?;
        let runs = at_once(NEW, || arena.cli.run(&["new", &directory.to_string_lossy(), "--json"]));
        let mut ids = Vec::new();
        for run in runs {
            let run = run?;
            if run.status == 0 {
                ids.push(run.json()?["id"].as_str().unwrap_or_default().to_owned());
                continue;
            }
            let error = run.error()?;
            trial.must(error["code"] == "too_many_sessions", || format!("an unexpected refusal: {error}"));
            refused += 1;
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
        trial.must(listed == ids, || format!("{ids:?} were created, {listed:?} are there"));
        only_one_daemon(trial, &arena);
        let hosts = processes_named(&arena, "areyouj-host");
        trial.must(hosts == ids.len(), || format!("{hosts} hosts for {} sessions", ids.len()));
        created += ids.len();
        started_by_hand(trial, &arena)?;
        arena.close()?;
    }
    trial.figure("sessions asked for at the same instant", format!("{} x {NEW}", trial.rounds));
    trial.figure("of them created, refused by the limit", format!("{created}, {refused}"));
    Ok(())
}

/// Daemons that are started beside each other: one serves, the others say why not and go.
fn started_by_hand(trial: &mut Trial, arena: &Arena) -> Result<()> {
    arena.kill(arena.daemon()?)?;
    let mut daemons: Vec<Running> =
        (0..DAEMONS).map(|_| Running::start(&arena.cli, &["daemon", "run"])).collect::<Result<_>>()?;
    let mut serve = 0;
    let mut left = Vec::new();
    for mut daemon in daemons.drain(..) {
        if daemon.line(PATIENCE)? == "ready" {
            serve += 1;
            left.push(daemon);
        } else {
            let run = daemon.finish(PATIENCE)?;
            trial.must(run.status == 1, || format!("a daemon that is not needed ended like this: {run}"));
        }
    }
    trial.must(serve == 1, || format!("{serve} of {DAEMONS} daemons serve"));
    only_one_daemon(trial, arena);
    arena.ok(&["daemon", "stop"])?;
    for daemon in left {
        ensure!(daemon.finish(PATIENCE).and_then(Run::success).is_ok(), "a daemon did not end in peace");
    }
    Ok(())
}

fn only_one_daemon(trial: &mut Trial, arena: &Arena) {
    let daemons = processes_named(arena, "daemon run");
    trial.must(daemons == 1, || format!("{daemons} daemons run: {:#?}", arena.processes()));
}

fn processes_named(arena: &Arena, name: &str) -> usize {
    arena.processes().iter().filter(|process| process.command.contains(name)).count()
}

/// Does something so many times at the same instant.
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
