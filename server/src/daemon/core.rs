//! The orchestrator at work: one event at a time, changes to the store's thread, everything else behind their commit.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use areyouj_core::orchestrator::{Effect, Entropy, Event, Now, Settings, Snapshot, State};
use areyouj_store::{Committer, StoreError, WriterHandle};

/// Events that can wait for the orchestrator. A sender beyond that waits: a connection stops reading its client, a
/// host connection stops reading its journal, and nothing is lost.
pub(super) const INBOX: usize = 1_024;

/// Steps whose changes can wait for the disk; further ones wait for these.
const STEPS_BEFORE_DISK: usize = 256;

/// Committed transactions whose effects can wait to be carried out.
const GROUPS_AFTER_DISK: usize = 2;

/// The effects of the steps of one transaction, once their changes are on disk, or have failed to get there.
pub(super) type Committed = (Result<(), StoreError>, Vec<Vec<Effect>>);

/// The orchestrator at work.
pub(super) struct Core {
    /// What is on disk, to be carried out.
    pub(super) committed: mpsc::Receiver<Committed>,
    /// Ends, with the database closed, when all senders of the inbox are gone.
    pub(super) ended: JoinHandle<()>,
}

/// Starts the orchestrator as a task of this runtime, and the store's thread.
pub(super) fn spawn(
    settings: Settings,
    snapshot: Snapshot,
    committer: Committer,
    inbox: mpsc::Receiver<Event>,
) -> Result<Core, StoreError> {
    let (sender, committed) = mpsc::channel(GROUPS_AFTER_DISK);
    let writer = areyouj_store::spawn_writer(committer, STEPS_BEFORE_DISK, move |result, effects| {
        // A closed channel means that the daemon is ending: nobody waits for these effects.
        let _ = sender.blocking_send((result, effects));
    })?;
    let ended = tokio::spawn(async move {
        run(settings, snapshot, inbox, &writer).await;
        let _ = tokio::task::spawn_blocking(|| writer.close()).await;
    });
    Ok(Core { committed, ended })
}

async fn run(
    settings: Settings,
    snapshot: Snapshot,
    mut inbox: mpsc::Receiver<Event>,
    writer: &WriterHandle<Vec<Effect>>,
) {
    let started = Instant::now();
    let (mut state, effects) = State::restore(settings, snapshot, now(started), entropy());
    let mut open = submit(writer, effects).await;
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
        open = submit(writer, state.step(now(started), entropy(), event)).await;
    }
}

/// Submits a step to the store. Returns false if the store is gone.
async fn submit(writer: &WriterHandle<Vec<Effect>>, effects: Vec<Effect>) -> bool {
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
    writer.submit(changes, others).await.is_ok()
}

fn entropy() -> Entropy {
    let secret = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes);
    Entropy::new(Uuid::new_v4().as_u128()).with_secret(secret)
}

fn now(started: Instant) -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        wall: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        monotonic: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
