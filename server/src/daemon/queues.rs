//! When clients are notified of a queue that changed. Each notification holds the whole queue, so the updates of a
//! queue that fills up are throttled: those in between would be outdated before a client reads them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use areyouj_core::orchestrator::{Event, SessionId};

/// Between two updates of one queue: too short for people to notice.
const UPDATE_INTERVAL: Duration = Duration::from_millis(50);

/// The latest update of each queue.
#[derive(Clone, Default)]
pub(super) struct Queues(Arc<Mutex<HashMap<SessionId, Update>>>);

#[derive(Clone, Copy, Default)]
struct Update {
    /// When the last update was requested.
    requested: Option<Instant>,
    /// An update will be requested, which covers every change until then.
    due: bool,
}

impl Queues {
    /// A queue changed. Returns a future that requests the update in time, unless one is under way already.
    pub(super) fn changed(
        &self,
        session: SessionId,
        inbox: &mpsc::Sender<Event>,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let at = {
            let mut queues = self.lock();
            let update = queues.entry(session).or_default();
            if std::mem::replace(&mut update.due, true) {
                return None;
            }
            update.requested.map_or_else(Instant::now, |requested| requested + UPDATE_INTERVAL)
        };
        let (queues, inbox) = (self.clone(), inbox.clone());
        Some(async move {
            sleep_until(at).await;
            // Before the request: a change that it does not cover must request another one.
            if let Some(update) = queues.lock().get_mut(&session) {
                *update = Update { requested: Some(Instant::now()), due: false };
            }
            let _ = inbox.send(Event::ShowQueue(session)).await;
        })
    }

    /// The session is removed.
    pub(super) fn forget(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Update>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_change_is_published_at_once_and_the_next_ones_together() {
        let session = "AAAAAAAA".parse::<SessionId>().unwrap();
        let (sender, mut inbox) = mpsc::channel(8);
        let queues = Queues::default();
        let begin = Instant::now();
        let first = queues.changed(session, &sender).unwrap();
        assert!(queues.changed(session, &sender).is_none(), "covered by the one that is under way");
        assert!(queues.lock()[&session].requested.is_none(), "nothing delays the first one");
        first.await;
        assert!(inbox.try_recv().is_ok());

        let second = queues.changed(session, &sender).unwrap();
        for _ in 0..1_000 {
            assert!(queues.changed(session, &sender).is_none());
        }
        second.await;
        assert!(matches!(inbox.try_recv(), Ok(Event::ShowQueue(shown)) if shown == session));
        assert!(begin.elapsed() >= UPDATE_INTERVAL && inbox.try_recv().is_err());
        assert!(queues.changed(session, &sender).is_some(), "a change after that requests another update");
    }
}
