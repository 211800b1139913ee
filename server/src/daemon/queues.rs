//! When clients are told of a queue that changed. They are told all of it, so a queue that fills up is told of from time
//! to time, and not with every message: what comes in between would be out of date before it was read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use areyouj_core::orchestrator::{Event, SessionId};

/// Between two tellings of the same queue: short enough to look like at once.
const PAUSE: Duration = Duration::from_millis(50);

/// When which queue was told of.
#[derive(Clone, Default)]
pub(super) struct Queues(Arc<Mutex<HashMap<SessionId, Told>>>);

#[derive(Clone, Copy, Default)]
struct Told {
    /// When it was asked for last.
    asked: Option<Instant>,
    /// It will be asked for, which covers every change until then.
    due: bool,
}

impl Queues {
    /// A queue changed. Returns what asks for it in its time, unless that is under way already.
    pub(super) fn changed(
        &self,
        session: SessionId,
        inbox: &mpsc::Sender<Event>,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let at = {
            let mut queues = self.lock();
            let told = queues.entry(session).or_default();
            if std::mem::replace(&mut told.due, true) {
                return None;
            }
            told.asked.map_or_else(Instant::now, |asked| asked + PAUSE)
        };
        let (queues, inbox) = (self.clone(), inbox.clone());
        Some(async move {
            sleep_until(at).await;
            // Before it is asked for: a change that is not covered any more must ask again.
            if let Some(told) = queues.lock().get_mut(&session) {
                *told = Told { asked: Some(Instant::now()), due: false };
            }
            let _ = inbox.send(Event::ShowQueue(session)).await;
        })
    }

    /// The session is removed.
    pub(super) fn forget(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_change_is_told_at_once_and_the_next_ones_together() {
        let session = "AAAAAAAA".parse::<SessionId>().unwrap();
        let (sender, mut inbox) = mpsc::channel(8);
        let queues = Queues::default();
        let begin = Instant::now();
        let first = queues.changed(session, &sender).unwrap();
        assert!(queues.changed(session, &sender).is_none(), "covered by the one that is under way");
        assert!(queues.lock()[&session].asked.is_none(), "nothing holds the first one up");
        first.await;
        assert!(inbox.try_recv().is_ok());

        let second = queues.changed(session, &sender).unwrap();
        for _ in 0..1_000 {
            assert!(queues.changed(session, &sender).is_none());
        }
        second.await;
        assert!(matches!(inbox.try_recv(), Ok(Event::ShowQueue(shown)) if shown == session));
        assert!(begin.elapsed() >= PAUSE && inbox.try_recv().is_err());
        assert!(queues.changed(session, &sender).is_some(), "a change after that asks again");
    }
}
