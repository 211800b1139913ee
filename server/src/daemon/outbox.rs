//! What one client is still to be sent: bounded, in order, and never in anybody's way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// One message on the wire, header included. Shared: a notification is serialised once for all clients.
pub(crate) type Frame = Arc<[u8]>;

/// Notifications that a client may leave unread, in bytes. Who lets more pile up loses them, is told so with
/// `areyouj/resync`, and lists and attaches again. Answers are not counted: a client has at most
/// [`super::connection::MAX_IN_FLIGHT`] of them.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// A place in the order that is filled later.
pub(super) type Slot = u64;

/// What one client is still to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    items: VecDeque<Item>,
    notification_bytes: usize,
    dropped: u64,
    slots: Slot,
    closed: bool,
}

#[derive(Debug)]
enum Item {
    Answer(Frame),
    Notification(Frame),
    Reserved(Slot),
}

/// What comes next.
pub(super) enum Next {
    /// Send this.
    Frame(Frame),
    /// Say that this many notifications were dropped.
    Resync(u64),
    /// Nothing more will come.
    Closed,
}

impl Outbox {
    /// Adds an answer.
    pub(super) fn answer(&self, frame: Frame) {
        self.lock().items.push_back(Item::Answer(frame));
        self.changed.notify_one();
    }

    /// Adds a notification, or drops it if too much is waiting.
    pub(super) fn notify(&self, frame: Frame) {
        let mut waiting = self.lock();
        // After a drop everything is dropped until the client has caught up: half a picture is worse than none.
        if waiting.dropped > 0 || waiting.notification_bytes + frame.len() > MAX_WAITING_BYTES {
            waiting.dropped += 1;
        } else {
            waiting.notification_bytes += frame.len();
            waiting.items.push_back(Item::Notification(frame));
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Keeps a place for an answer that is still being made; what comes later waits behind it.
    pub(super) fn reserve(&self) -> Slot {
        let mut waiting = self.lock();
        waiting.slots += 1;
        let slot = waiting.slots;
        waiting.items.push_back(Item::Reserved(slot));
        slot
    }

    /// Fills a place that was kept.
    pub(super) fn fill(&self, slot: Slot, frame: Frame) {
        let mut waiting = self.lock();
        let place =
            waiting.items.iter_mut().find(|item| matches!(item, Item::Reserved(kept) if *kept == slot));
        if let Some(item) = place {
            *item = Item::Answer(frame);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Nothing more will be added; what waits is still sent.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Waits for what comes next.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut waiting = self.lock();
        match waiting.items.front() {
            Some(Item::Reserved(_)) => None,
            Some(_) => match waiting.items.pop_front() {
                Some(Item::Notification(frame)) => {
                    waiting.notification_bytes -= frame.len();
                    Some(Next::Frame(frame))
                }
                Some(Item::Answer(frame)) => Some(Next::Frame(frame)),
                _ => None,
            },
            None if waiting.dropped > 0 => Some(Next::Resync(std::mem::take(&mut waiting.dropped))),
            None if waiting.closed => Some(Next::Closed),
            None => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Frame {
        vec![b'x'; bytes].into()
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_loses_notifications_and_is_told_so() {
        let outbox = Outbox::default();
        for _ in 0..10 {
            outbox.notify(frame(MAX_WAITING_BYTES / 4));
        }
        outbox.answer(frame(1));
        let mut frames = 0;
        loop {
            match outbox.next().await {
                Next::Frame(_) => frames += 1,
                Next::Resync(dropped) => {
                    assert_eq!(dropped, 6);
                    break;
                }
                Next::Closed => panic!("nobody closed it"),
            }
        }
        assert_eq!(frames, 4 + 1, "four notifications fit, and the answer is never dropped");
        outbox.notify(frame(1));
        assert!(
            matches!(outbox.next().await, Next::Frame(_)),
            "after catching up it gets notifications again"
        );
    }

    #[tokio::test]
    async fn what_follows_a_reserved_place_waits_until_it_is_filled() {
        let outbox = Outbox::default();
        let slot = outbox.reserve();
        outbox.notify(frame(2));
        assert!(outbox.take().is_none());
        outbox.fill(slot, frame(1));
        let Next::Frame(first) = outbox.next().await else { panic!("a frame was filled in") };
        let Next::Frame(second) = outbox.next().await else { panic!("a frame waits behind it") };
        assert_eq!((first.len(), second.len()), (1, 2));
    }

    #[tokio::test]
    async fn closing_lets_out_what_waits_first() {
        let outbox = Outbox::default();
        outbox.answer(frame(1));
        outbox.close();
        assert!(matches!(outbox.next().await, Next::Frame(_)));
        assert!(matches!(outbox.next().await, Next::Closed));
    }
}
