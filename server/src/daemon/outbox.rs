//! The messages that a client has yet to read: bounded, in order, and without a wait for any other client.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use areyouj_core::orchestrator::Problem;
use areyouj_protocol::{ErrorData, Notification};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;

use crate::rpc::{envelope, frame};

/// One message on the wire, header included. Shared: a notification is serialised once for all clients.
pub(crate) type Frame = Arc<[u8]>;

/// The frame of a message.
pub(super) fn frame(message: &[u8]) -> Frame {
    frame::encode(message).into()
}

/// The answer to a request.
pub(crate) fn result_frame(id: &Value, result: &impl Serialize) -> Frame {
    frame(&envelope::result(id, result))
}

/// The refusal of a request.
pub(crate) fn error_frame(id: &Value, problem: &Problem, retryable: bool) -> Frame {
    coded_error_frame(id, envelope::rpc_code(problem.code.as_str()), problem, retryable)
}

/// The refusal of a request, with a code of JSON-RPC that does not follow from the problem.
pub(super) fn coded_error_frame(id: &Value, code: i32, problem: &Problem, retryable: bool) -> Frame {
    let data = ErrorData::new(problem.code.as_str(), problem.remedy.as_ref(), retryable);
    frame(&envelope::error(id, code, &problem.message, Some(&data)))
}

/// A notification.
pub(super) fn notification_frame<N: Notification>(params: &N::Params) -> Frame {
    frame(&envelope::notification(N::METHOD, params))
}

/// Unread notifications of a client, in bytes, at most. A client that leaves more unread loses all of them and receives
/// `areyouj/resync`; then it lists and attaches again. Answers do not count: the connection reads no further request of
/// a client that has too many unread answers.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// Bytes that are written together, at least if as many are pending: one write for many small frames.
const TOGETHER_BYTES: usize = 64 << 10;

/// A reserved place in the order.
pub(super) type Slot = u64;

/// The messages that a client has yet to read.
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

impl Waiting {
    /// The next frames, up to a reserved place.
    fn take_together(&mut self) -> Next {
        let (mut frames, mut bytes, mut answers) = (Vec::new(), 0, 0);
        while bytes < TOGETHER_BYTES {
            let frame = match self.items.pop_front() {
                Some(Item::Answer(frame)) => {
                    answers += 1;
                    frame
                }
                Some(Item::Notification(frame)) => {
                    self.notification_bytes -= frame.len();
                    frame
                }
                Some(reserved @ Item::Reserved(_)) => {
                    self.items.push_front(reserved);
                    break;
                }
                None => break,
            };
            bytes += frame.len();
            frames.push(frame);
        }
        Next::Frames { frames, answers }
    }

    fn drop_notifications(&mut self) {
        if self.notification_bytes > 0 {
            let before = self.items.len();
            self.items.retain(|item| !matches!(item, Item::Notification(_)));
            self.dropped += (before - self.items.len()) as u64;
            self.items.shrink_to_fit();
            self.notification_bytes = 0;
        }
    }
}

#[derive(Debug)]
enum Item {
    Answer(Frame),
    Notification(Frame),
    Reserved(Slot),
}

/// The next thing to write.
pub(super) enum Next {
    /// Frames in their order, at least one, and how many of them are answers.
    Frames { frames: Vec<Frame>, answers: usize },
    /// A notification that this many notifications were dropped.
    Resync(u64),
    /// The outbox is closed and empty.
    Closed,
}

impl Outbox {
    /// Adds an answer.
    pub(super) fn answer(&self, frame: Frame) {
        self.lock().items.push_back(Item::Answer(frame));
        self.changed.notify_one();
    }

    /// Adds a notification. If too many are pending, all are dropped: a part of them would give a wrong picture, and the
    /// client must list again in any case.
    pub(super) fn notify(&self, frame: Frame) {
        let mut waiting = self.lock();
        // After a drop, further notifications are dropped until the client has read its answers and the resync.
        if waiting.dropped > 0 || waiting.notification_bytes + frame.len() > MAX_WAITING_BYTES {
            waiting.drop_notifications();
            waiting.dropped += 1;
        } else {
            waiting.notification_bytes += frame.len();
            waiting.items.push_back(Item::Notification(frame));
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Reserves the place of an answer that is being made; later messages wait behind it.
    pub(super) fn reserve(&self) -> Slot {
        let mut waiting = self.lock();
        waiting.slots += 1;
        let slot = waiting.slots;
        waiting.items.push_back(Item::Reserved(slot));
        slot
    }

    /// Fills a reserved place.
    pub(super) fn fill(&self, slot: Slot, frame: Frame) {
        let mut waiting = self.lock();
        let place =
            waiting.items.iter_mut().find(|item| matches!(item, Item::Reserved(kept) if *kept == slot));
        if let Some(place) = place {
            *place = Item::Answer(frame);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Closes the outbox: the pending messages are still written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Discards all pending messages. Returns their size in bytes.
    pub(super) fn discard(&self) -> usize {
        let waiting = std::mem::take(&mut *self.lock());
        let bytes = |item: &Item| match item {
            Item::Answer(frame) | Item::Notification(frame) => frame.len(),
            Item::Reserved(_) => 0,
        };
        waiting.items.iter().map(bytes).sum()
    }

    /// Waits for the next thing to write.
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
            Some(_) => Some(waiting.take_together()),
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

    /// The lengths of the frames that come next together.
    async fn next(outbox: &Outbox) -> Vec<usize> {
        match outbox.next().await {
            Next::Frames { frames, .. } => frames.iter().map(|frame| frame.len()).collect(),
            Next::Resync(dropped) => panic!("{dropped} were dropped"),
            Next::Closed => panic!("nobody closed it"),
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_loses_its_notifications_and_receives_a_resync() {
        let outbox = Outbox::default();
        for _ in 0..4 {
            outbox.notify(frame(MAX_WAITING_BYTES / 4));
        }
        assert_eq!(outbox.lock().items.len(), 4, "as much may wait");
        outbox.answer(frame(1));
        for _ in 0..6 {
            outbox.notify(frame(MAX_WAITING_BYTES / 4));
        }
        assert_eq!(next(&outbox).await, [1], "an answer is never dropped");
        assert!(matches!(outbox.next().await, Next::Resync(10)));
        outbox.notify(frame(2));
        assert_eq!(next(&outbox).await, [2], "after that it gets notifications again");
    }

    #[tokio::test]
    async fn pending_messages_are_written_together_in_order_and_not_all_at_once() {
        let outbox = Outbox::default();
        outbox.notify(frame(1));
        outbox.answer(frame(2));
        outbox.notify(frame(TOGETHER_BYTES));
        outbox.notify(frame(3));
        let Next::Frames { frames, answers } = outbox.next().await else { panic!("frames wait") };
        let lengths: Vec<_> = frames.iter().map(|frame| frame.len()).collect();
        assert_eq!((lengths, answers), (vec![1, 2, TOGETHER_BYTES], 1));
        assert_eq!(next(&outbox).await, [3]);
        assert_eq!(outbox.lock().notification_bytes, 0);
    }

    #[tokio::test]
    async fn a_message_after_a_reserved_place_waits_until_it_is_filled() {
        let outbox = Outbox::default();
        outbox.notify(frame(3));
        let slot = outbox.reserve();
        outbox.notify(frame(2));
        assert_eq!(next(&outbox).await, [3]);
        assert!(outbox.take().is_none());
        outbox.fill(slot, frame(1));
        assert_eq!(next(&outbox).await, [1, 2]);
    }

    #[tokio::test]
    async fn closing_writes_pending_messages_first() {
        let outbox = Outbox::default();
        outbox.answer(frame(1));
        outbox.close();
        assert_eq!(next(&outbox).await, [1]);
        assert!(matches!(outbox.next().await, Next::Closed));
    }
}
