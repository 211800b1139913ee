//! The queue of one session: the messages that wait or run, their order, and why the queue is paused.

use super::messages::Messages;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{
    Change, MessageId, MessageRow, MessageState, MessageView, Pause, PauseReason, QueueView, Recovery,
    SessionId, SessionRow, TurnEnd,
};

/// Distance between neighbours after new ranks are assigned to all: room for many moves in between.
const RANK_STEP: i64 = 1 << 20;

/// The message to Claude when a person chooses to continue after an interrupted turn.
const CONTINUATION: &str = "Continue where you left off.";

/// The error of an interrupted message.
const INTERRUPTED: &str = "Claude ended in the middle of the turn.";

/// The messages of a session and the state of its queue.
///
/// A message that has ended is forgotten, except the one that a person can decide about.
#[derive(Debug)]
pub(in crate::orchestrator) struct Queue {
    session: SessionId,
    messages: Messages,
    pause: Pause,
    /// The message that a person decides about, or may want to send again.
    undecided: Option<MessageId>,
    /// What has changed since the last [`Queue::take_changes`].
    changes: QueueChanges,
}

/// What has changed in a queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QueueChanges {
    /// A message was persisted.
    pub(super) persisted: bool,
    /// Clients must be notified of the queue.
    pub(super) visible: bool,
}

impl Queue {
    /// The queue from the session's row, without messages.
    pub(super) fn restore(row: &SessionRow) -> Queue {
        Queue {
            session: row.id,
            messages: Messages::default(),
            pause: row.paused,
            undecided: row.pause_message,
            changes: QueueChanges::default(),
        }
    }

    /// Adds a message from the store.
    pub(super) fn restore_message(&mut self, row: MessageRow) {
        self.messages.push(row);
    }

    pub(super) fn take_changes(&mut self) -> QueueChanges {
        std::mem::take(&mut self.changes)
    }

    pub(in crate::orchestrator) fn contains(&self, id: MessageId) -> bool {
        self.messages.contains(id)
    }

    pub(in crate::orchestrator) fn get(&self, id: MessageId) -> Option<&MessageRow> {
        self.messages.get(id)
    }

    pub(in crate::orchestrator) fn iter(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.iter()
    }

    pub(in crate::orchestrator) fn running(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.iter().filter(|message| message.state == MessageState::Running)
    }

    /// Waiting messages in no particular order.
    pub(in crate::orchestrator) fn waiting(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.iter().filter(|message| message.state == MessageState::Queued)
    }

    pub(super) fn has_waiting(&self) -> bool {
        self.waiting().next().is_some()
    }

    /// The number of waiting messages.
    pub(super) fn length(&self) -> u32 {
        u32::try_from(self.waiting().count()).unwrap_or(u32::MAX)
    }

    /// The next message.
    pub(super) fn next(&self) -> Option<MessageId> {
        self.waiting().min_by_key(|message| message.rank).map(|message| message.id)
    }

    pub(super) fn pause(&self) -> Pause {
        self.pause
    }

    /// The message that a person decides about, or may want to send again.
    pub(super) fn undecided(&self) -> Option<MessageId> {
        self.undecided
    }

    /// Messages that were written to Claude and might not have started, in the order of delivery.
    pub(super) fn doubtful(&self) -> Vec<MessageId> {
        let mut ids = self.running_in_order();
        ids.retain(|id| self.get(*id).is_some_and(|row| row.written && !row.started));
        ids
    }

    /// A message that was written to Claude and is not confirmed.
    pub(super) fn unconfirmed(&self) -> Option<&MessageRow> {
        self.running().find(|message| message.written && !message.started)
    }

    /// Running messages that the journal does not show as written.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = &MessageRow> {
        self.running().filter(|message| !message.written)
    }

    /// The messages whose turn this was. `is_ahead`: the message has a turn of its own later.
    pub(super) fn ended_by(&self, turn: &TurnEnd, is_ahead: impl Fn(MessageId) -> bool) -> Vec<MessageId> {
        let named = |message: &MessageRow| turn.messages.contains(&message.id);
        let unnamed =
            |message: &MessageRow| turn.messages.is_empty() && message.started && !is_ahead(message.id);
        self.running().filter(|row| named(row) || unnamed(row)).map(|row| row.id).collect()
    }

    pub(in crate::orchestrator) fn view(&self) -> QueueView {
        let running = self.running().map(|row| MessageView { row: row.clone(), position: None });
        let waiting = self
            .waiting_in_order()
            .into_iter()
            .zip(0..)
            .map(|(row, position)| MessageView { row: row.clone(), position: Some(position) });
        QueueView {
            session: self.session,
            paused: self.pause.explanation(),
            messages: running.chain(waiting).collect(),
        }
    }

    pub(in crate::orchestrator) fn message_view(&self, row: &MessageRow) -> MessageView {
        let before = self.waiting().filter(|other| other.rank < row.rank);
        let position = (row.state == MessageState::Queued)
            .then(|| before.count())
            .and_then(|before| u32::try_from(before).ok());
        MessageView { row: row.clone(), position }
    }

    /// Adds a waiting message, last or first.
    pub(super) fn enqueue(&mut self, step: &mut StepContext, id: MessageId, text: String, first: bool) {
        let rank = if first { self.rank_before_all() } else { self.rank_after_all() };
        self.messages.push(MessageRow {
            id,
            session: self.session,
            text,
            state: MessageState::Queued,
            rank,
            steer: false,
            written: false,
            started: false,
            created_at: step.now.wall,
            started_at: None,
            finished_at: None,
            error: None,
        });
        self.persist(step, id);
    }

    /// A waiting message is written to Claude, into the running turn if `steer`.
    pub(super) fn deliver(
        &mut self,
        step: &mut StepContext,
        id: MessageId,
        steer: bool,
    ) -> Option<&MessageRow> {
        let message = self.messages.get_mut(id)?;
        message.state = MessageState::Running;
        message.steer = steer;
        message.started_at = Some(step.now.wall);
        self.persist(step, id);
        self.get(id)
    }

    /// The journal shows that a message was written to Claude.
    pub(super) fn written(&mut self, step: &mut StepContext, id: MessageId) {
        if let Some(message) = self.running_mut(id)
            && !message.written
        {
            message.written = true;
            self.persist(step, id);
        }
    }

    /// Claude has started a message.
    pub(super) fn started(&mut self, step: &mut StepContext, id: MessageId) {
        if let Some(message) = self.running_mut(id) {
            message.started = true;
            self.persist(step, id);
        }
    }

    /// A running message has ended in this state.
    pub(super) fn finish(
        &mut self,
        step: &mut StepContext,
        id: MessageId,
        state: MessageState,
        error: Option<&str>,
    ) {
        if self.running_mut(id).is_some() {
            self.close(step, id, state, error);
        }
    }

    /// All messages that Claude had started have ended in this state.
    pub(super) fn finish_started(
        &mut self,
        step: &mut StepContext,
        state: MessageState,
        error: Option<&str>,
    ) {
        let started = self.running().filter(|message| message.written && message.started);
        let started: Vec<MessageId> = started.map(|message| message.id).collect();
        for id in started {
            self.finish(step, id, state, error);
        }
    }

    /// Claude has exited. A message that was never written waits again. A started one is interrupted. A written message
    /// that did not start stays doubtful if Claude's own record will be read; otherwise it is interrupted.
    pub(super) fn claude_gone(
        &mut self,
        step: &mut StepContext,
        inspection_follows: bool,
        recovery: Option<Recovery>,
    ) {
        for id in self.running_in_order().into_iter().rev() {
            let Some(message) = self.get(id) else { continue };
            if !message.written {
                self.wait_again(step, id);
            } else if message.started || !inspection_follows {
                self.interrupted(step, id, recovery);
            }
        }
    }

    /// Decides about the doubtful messages: Claude's own record holds those in `recorded`.
    pub(super) fn resolve_doubtful(
        &mut self,
        step: &mut StepContext,
        recorded: &[MessageId],
        recovery: Option<Recovery>,
    ) {
        for id in self.doubtful().into_iter().rev() {
            if recorded.contains(&id) {
                self.interrupted(step, id, recovery);
            } else {
                self.wait_again(step, id);
            }
        }
    }

    /// Messages that the journal does not show as written wait again.
    pub(super) fn take_back_unwritten(&mut self, step: &mut StepContext) {
        let unwritten: Vec<MessageId> = self.unwritten().map(|message| message.id).collect();
        for id in unwritten {
            self.wait_again(step, id);
        }
    }

    /// Claude exited in the middle of this message. `recovery` decides about it in place of a person.
    fn interrupted(&mut self, step: &mut StepContext, id: MessageId, recovery: Option<Recovery>) {
        self.ask_about(id, PauseReason::MessageInterrupted);
        self.finish(step, id, MessageState::Interrupted, Some(INTERRUPTED));
        if let Some(choice) = recovery {
            self.recover(step, id, choice);
        }
    }

    fn wait_again(&mut self, step: &mut StepContext, id: MessageId) {
        let rank = self.rank_before_all();
        if let Some(message) = self.running_mut(id) {
            message.state = MessageState::Queued;
            message.rank = rank;
            message.written = false;
            message.steer = false;
            message.started_at = None;
            self.persist(step, id);
        }
    }

    /// The queue pauses until a person has decided about this message.
    pub(super) fn ask_about(&mut self, id: MessageId, reason: PauseReason) {
        self.remember(id);
        self.pause = self.pause.with_reason(reason);
        self.changes.visible = true;
    }

    /// Applies a decision about a message that failed or was interrupted. Returns the message that results from it.
    pub(super) fn recover(
        &mut self,
        step: &mut StepContext,
        id: MessageId,
        choice: Recovery,
    ) -> Option<MessageId> {
        let text = match choice {
            Recovery::Skip => None,
            Recovery::Continue => Some(CONTINUATION.to_owned()),
            // Claude ignores an id that it has received before, so the same text gets a new one.
            Recovery::Again => self.get(id).map(|row| row.text.clone()),
        };
        self.decided();
        let (text, new_id) = (text?, step.new_uuid());
        self.enqueue(step, new_id, text, true);
        Some(new_id)
    }

    /// No decision is left. The queue resumes, unless a person paused it.
    fn decided(&mut self) {
        self.forget_undecided();
        self.pause = self.pause.without_reason();
        self.changes.visible = true;
    }

    /// A person pauses the queue.
    pub(in crate::orchestrator) fn hold(&mut self) {
        self.pause = self.pause.held();
        self.changes.visible = true;
    }

    /// A person resumes the queue, which is a decision too.
    pub(in crate::orchestrator) fn resume(&mut self) {
        self.decided();
        self.pause = self.pause.released();
    }

    /// A person interrupts the turn: waiting messages must not follow automatically.
    pub(super) fn hold_after_interrupt(&mut self) {
        if !self.pause.is_paused() && self.has_waiting() {
            self.pause = self.pause.with_reason(PauseReason::TurnInterrupted);
            self.changes.visible = true;
        }
    }

    /// Replaces the text of a waiting message.
    pub(in crate::orchestrator) fn edit(&mut self, step: &mut StepContext, id: MessageId, text: String) {
        if let Some(message) = self.messages.get_mut(id) {
            message.text = text;
            self.persist(step, id);
        }
    }

    /// Cancels a waiting message.
    pub(in crate::orchestrator) fn cancel(&mut self, step: &mut StepContext, id: MessageId) {
        self.close(step, id, MessageState::Cancelled, None);
    }

    /// Cancels all waiting messages.
    pub(in crate::orchestrator) fn cancel_all(&mut self, step: &mut StepContext, why: Option<&str>) {
        let waiting: Vec<MessageId> = self.waiting_in_order().iter().map(|message| message.id).collect();
        for id in waiting {
            self.close(step, id, MessageState::Cancelled, why);
        }
    }

    /// Moves a waiting message to this place among the waiting ones, counted from 0.
    pub(in crate::orchestrator) fn move_to(&mut self, step: &mut StepContext, id: MessageId, place: usize) {
        let others = self.waiting_in_order().into_iter().filter(|message| message.id != id);
        let mut order: Vec<(MessageId, i64)> = others.map(|message| (message.id, message.rank)).collect();
        let place = place.min(order.len());
        let before = place.checked_sub(1).map(|index| order[index].1);
        let after = order.get(place).map(|(_, rank)| *rank);
        let rank = match (before, after) {
            (None, None) => 0,
            (Some(before), None) => before + RANK_STEP,
            (None, Some(after)) => after - RANK_STEP,
            (Some(before), Some(after)) if after - before >= 2 => before + (after - before) / 2,
            (Some(_), Some(_)) => {
                order.insert(place, (id, 0));
                for ((id, _), number) in order.into_iter().zip(1i64..) {
                    self.set_rank(step, id, number * RANK_STEP);
                }
                return;
            }
        };
        self.set_rank(step, id, rank);
    }

    fn set_rank(&mut self, step: &mut StepContext, id: MessageId, rank: i64) {
        if let Some(message) = self.messages.get_mut(id) {
            message.rank = rank;
            self.persist(step, id);
        }
    }

    fn close(&mut self, step: &mut StepContext, id: MessageId, state: MessageState, error: Option<&str>) {
        let Some(message) = self.messages.get_mut(id) else { return };
        message.state = state;
        message.error = error.map(str::to_owned);
        message.finished_at = Some(step.now.wall);
        if state == MessageState::Interrupted && !self.pause.awaits_decision() {
            // A person can want to send it again, although the queue does not wait for that decision.
            self.remember(id);
        }
        self.persist(step, id);
    }

    /// Keeps this message, in place of an earlier one, for a decision.
    fn remember(&mut self, id: MessageId) {
        if self.undecided != Some(id) {
            self.forget_undecided();
            self.undecided = Some(id);
        }
    }

    fn forget_undecided(&mut self) {
        if let Some(id) = self.undecided.take()
            && self.get(id).is_some_and(|message| message.state.is_final())
        {
            self.messages.remove(id);
        }
    }

    /// Persists a message as it is now, and forgets it if it has ended.
    fn persist(&mut self, step: &mut StepContext, id: MessageId) {
        let Some(message) = self.messages.get(id) else { return };
        step.persist(Change::Message(Box::new(message.clone())));
        self.changes = QueueChanges { persisted: true, visible: true };
        if message.state.is_final() && self.undecided != Some(id) {
            self.messages.remove(id);
        }
    }

    fn running_mut(&mut self, id: MessageId) -> Option<&mut MessageRow> {
        self.messages.get_mut(id).filter(|message| message.state == MessageState::Running)
    }

    fn running_in_order(&self) -> Vec<MessageId> {
        let mut running: Vec<&MessageRow> = self.running().collect();
        // Not by time, because the clock can change.
        running.sort_by_key(|message| (message.steer, message.rank));
        running.into_iter().map(|message| message.id).collect()
    }

    fn waiting_in_order(&self) -> Vec<&MessageRow> {
        let mut waiting: Vec<_> = self.waiting().collect();
        waiting.sort_by_key(|message| message.rank);
        waiting
    }

    fn rank_before_all(&self) -> i64 {
        self.messages.iter().map(|message| message.rank).min().unwrap_or(0) - RANK_STEP
    }

    fn rank_after_all(&self) -> i64 {
        self.messages.iter().map(|message| message.rank).max().unwrap_or(0) + RANK_STEP
    }

    /// Checks what must hold after every step.
    #[cfg(test)]
    pub(super) fn check(&self) -> Result<(), String> {
        let turns = self.running().filter(|message| !message.steer).count();
        if turns > 1 {
            return Err(format!("{turns} turns run at once"));
        }
        if self.messages.iter().any(|message| message.session != self.session) {
            return Err("holds a message of another session".to_owned());
        }
        let ended = self.messages.iter().filter(|message| message.state.is_final());
        let ended: Vec<MessageState> = ended.map(|message| message.state).collect();
        if ended.len() > 1 || ended.contains(&MessageState::Done) {
            return Err("keeps finished messages".to_owned());
        }
        Ok(())
    }
}
