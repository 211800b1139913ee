//! The thread that the orchestrator runs on: one event at a time, changes to the store, everything else behind
//! their commit.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use crate::orchestrator::{Change, Effect, Event, Now, Settings, Snapshot, State};
use crate::store::{self, Committer, StoreError};

/// Events that may wait for the orchestrator. Who sends more waits: a connection stops reading its client, a link
/// stops reading its journal, and nothing is lost.
pub(super) const INBOX: usize = 1_024;

/// Steps whose changes may wait for the disk; further ones wait for these.
const STEPS_BEFORE_DISK: usize = 256;

/// Committed steps whose effects may wait to be carried out.
const STEPS_AFTER_DISK: usize = 256;

/// The effects of one step, once its changes are on disk, or cannot get there.
pub(super) type Committed = (Result<(), StoreError>, Vec<Effect>);

/// Starts the thread. It ends when all senders of `inbox` are gone.
pub(super) fn spawn(
    settings: Settings,
    snapshot: Snapshot,
    committer: Committer,
    inbox: mpsc::Receiver<Event>,
) -> anyhow::Result<mpsc::Receiver<Committed>> {
    let (sender, committed) = mpsc::channel(STEPS_AFTER_DISK);
    let writer = store::spawn_writer(committer, STEPS_BEFORE_DISK, move |result, effects: Vec<Effect>| {
        // A closed channel means that the daemon is ending: nobody waits for these effects.
        let _ = sender.blocking_send((result, effects));
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("areyouj-core".to_owned()).spawn(move || {
        runtime.block_on(run(settings, snapshot, inbox, |changes, effects| {
            writer.submit(changes, effects).is_ok()
        }));
        writer.close();
    })?;
    Ok(committed)
}

async fn run(
    settings: Settings,
    snapshot: Snapshot,
    mut inbox: mpsc::Receiver<Event>,
    submit: impl Fn(Vec<Change>, Vec<Effect>) -> bool,
) {
    let started = Instant::now();
    let (mut state, effects) = State::restore(settings, snapshot, now(started));
    let mut open = submit_step(&submit, effects);
    while open {
        let event = match state.next_deadline() {
            None => inbox.recv().await,
            Some(deadline) => {
                let due = started + Duration::from_millis(deadline);
                tokio::select! {
                    event = inbox.recv() => event,
                    () = tokio::time::sleep_until(due.into()) => Some(Event::Tick),
                }
            }
        };
        let Some(event) = event else { return };
        open = submit_step(&submit, state.step(now(started), event));
    }
}

fn submit_step(submit: &impl Fn(Vec<Change>, Vec<Effect>) -> bool, effects: Vec<Effect>) -> bool {
    if effects.is_empty() {
        return true;
    }
    let mut changes = Vec::new();
    let mut others = Vec::with_capacity(effects.len());
    for effect in effects {
        match effect {
            Effect::Persist(change) => changes.push(change),
            other => others.push(other),
        }
    }
    submit(changes, others)
}

fn now(started: Instant) -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        wall: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        monotonic: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
