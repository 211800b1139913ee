//! The queue of one session: handing over one message at a time, and what becomes of it.

use super::session::{Phase, Session, Step};
use super::{
    Activity, Effect, Goal, Input, MessageId, MessageRow, MessageState, Pause, PermissionState, Recovery,
    Stage, TurnEnd,
};

/// Distance between the ranks of neighbours when they are laid out anew: room for many moves in between.
const RANK_STEP: i64 = 1 << 20;

/// Characters of a message that are shown as the current task.
const TASK_CHARS: usize = 200;

/// What Claude is told when a person chooses to go on after a cut.
const CONTINUATION: &str = "Continue where you left off.";

impl Session {
    /// A new waiting message, last or first.
    pub(super) fn enqueue(&mut self, step: &mut Step, id: MessageId, text: String, first: bool) -> usize {
        let rank = if first { self.rank_before_all() } else { self.rank_after_all() };
        let created_at = step.now.wall;
        self.messages.push(MessageRow {
            id,
            session: self.row.id,
            text,
            state: MessageState::Queued,
            rank,
            steer: false,
            handed: false,
            started: false,
            created_at,
            started_at: None,
            finished_at: None,
            error: None,
        });
        self.row.last_activity = step.now.wall;
        let index = self.messages.len() - 1;
        self.keep_message(step, index);
        index
    }

    fn rank_before_all(&self) -> i64 {
        self.messages.iter().map(|message| message.rank).min().unwrap_or(0) - RANK_STEP
    }

    fn rank_after_all(&self) -> i64 {
        self.messages.iter().map(|message| message.rank).max().unwrap_or(0) + RANK_STEP
    }

    /// Whether a turn runs, or is about to.
    pub(super) fn turn_runs(&self) -> bool {
        self.phase == Phase::Ready && (self.activity != Activity::Idle || self.running().next().is_some())
    }

    /// Hands over the next message if nothing stands in its way.
    pub(super) fn dispatch(&mut self, step: &mut Step) {
        let free = self.phase == Phase::Ready
            && self.row.goal == Goal::Run
            && !self.turn_runs()
            && self.row.paused.is_none()
            && self.interrupting.is_none()
            && self.open_prompts().next().is_none()
            && !self.terminal_is_taken();
        if !free {
            return;
        }
        let Some(next) = self.queued().min_by_key(|message| message.rank).map(|message| message.id) else {
            return;
        };
        self.hand_over(step, next, false);
    }

    /// Writes a message to Claude, into the running turn if `steer`.
    pub(super) fn hand_over(&mut self, step: &mut Step, id: MessageId, steer: bool) {
        let Some(index) = self.messages.iter().position(|message| message.id == id) else { return };
        let message = &mut self.messages[index];
        message.state = MessageState::Running;
        message.steer = steer;
        message.started_at = Some(step.now.wall);
        let task = first_line(&message.text);
        let input = Input::Message { id, text: message.text.clone(), steer };
        self.row.current_task = Some(task);
        self.keep_message(step, index);
        self.send(step, input);
    }

    pub(super) fn send(&self, step: &mut Step, input: Input) {
        step.effects.push(Effect::Send { session: self.row.id, launch: self.row.launch, input });
    }

    /// The journal says that a message reached Claude.
    pub(super) fn message_written(&mut self, step: &mut Step, id: MessageId) {
        if let Some(index) = self.position_of_running(id)
            && !self.messages[index].handed
        {
            self.messages[index].handed = true;
            self.keep_message(step, index);
        }
    }

    /// Claude says what became of a message.
    pub(super) fn message_stage(&mut self, step: &mut Step, id: MessageId, stage: Stage) {
        let Some(index) = self.position_of_running(id) else { return };
        match stage {
            Stage::Queued => {}
            Stage::Started => {
                self.messages[index].started = true;
                self.keep_message(step, index);
            }
            Stage::Completed => self.finish_message(step, index, MessageState::Done, None),
            Stage::Cancelled => {
                self.finish_message(
                    step,
                    index,
                    MessageState::Interrupted,
                    Some("The turn was broken off.".into()),
                );
            }
        }
    }

    /// A turn came to its end: so did the messages whose turn it was.
    pub(super) fn turn_ended(&mut self, step: &mut Step, turn: &TurnEnd) {
        let named = |message: &MessageRow| turn.messages.contains(&message.id);
        let ended: Vec<MessageId> = self
            .running()
            .filter(|message| {
                named(message)
                    || (turn.messages.is_empty() && message.started && !self.terminal.is_ahead(message.id))
            })
            .map(|message| message.id)
            .collect();
        let interrupted = self.interrupting.is_some() && !self.login_refused;
        let (state, error) = match (turn.ok, interrupted) {
            (true, _) => (MessageState::Done, None),
            (false, true) => (MessageState::Interrupted, Some("The turn was interrupted.".to_owned())),
            (false, false) => {
                (MessageState::Failed, Some(turn.error.clone().unwrap_or(turn.outcome.clone())))
            }
        };
        for id in &ended {
            if state == MessageState::Failed {
                self.ask_about(*id, Pause::Failed);
            }
            if let Some(index) = self.position_of_running(*id) {
                self.finish_message(step, index, state, error.clone());
            }
        }
    }

    /// Claude is idle: whatever had begun is over, even if nobody said how.
    pub(super) fn turn_over(&mut self, step: &mut Step) {
        self.finish_started(step, MessageState::Interrupted);
    }

    /// Everything that had begun came to this end.
    pub(super) fn finish_started(&mut self, step: &mut Step, state: MessageState) {
        while let Some(index) = self
            .messages
            .iter()
            .position(|message| message.state == MessageState::Running && message.handed && message.started)
        {
            let why = if self.is_terminal() {
                "The turn was interrupted."
            } else {
                "Claude ended the turn without a result."
            };
            let error = (state == MessageState::Interrupted).then(|| why.to_owned());
            self.finish_message(step, index, state, error);
        }
    }

    /// Nothing shows that Claude took this message from its terminal.
    pub(super) fn finish_unconfirmed(&mut self, step: &mut Step, id: MessageId) {
        if let Some(index) = self.position_of_running(id) {
            let error = Some("Claude did not confirm that it took the message from its terminal.".to_owned());
            self.finish_message(step, index, MessageState::Interrupted, error);
        }
    }

    /// Claude is gone. What never reached it waits again; what had begun was cut off; what only reached it stays
    /// open until Claude's own record has been looked at, or is called cut off if there will be no look.
    pub(super) fn claude_gone(&mut self, step: &mut Step, look_follows: bool) {
        for id in self.running_in_order().into_iter().rev() {
            let Some(index) = self.position_of_running(id) else { continue };
            let message = &self.messages[index];
            if !message.handed {
                self.wait_again(step, id);
            } else if message.started || !look_follows {
                self.cut_off(step, id);
            }
        }
    }

    /// Messages that reached Claude and may or may not have begun, in the order in which they were handed over.
    pub(super) fn doubtful(&self) -> Vec<MessageId> {
        let doubtful = |row: &&MessageRow| row.handed && !row.started;
        let mut ids = self.running_in_order();
        ids.retain(|id| self.running().filter(doubtful).any(|message| message.id == *id));
        ids
    }

    fn running_in_order(&self) -> Vec<MessageId> {
        let mut running: Vec<&MessageRow> = self.running().collect();
        // Not by time: the clock may have been set.
        running.sort_by_key(|message| (message.steer, message.rank));
        running.into_iter().map(|message| message.id).collect()
    }

    /// Claude's own record has been looked at.
    pub(super) fn resolve_doubtful(&mut self, step: &mut Step, seen: &[MessageId]) {
        for id in self.doubtful().into_iter().rev() {
            if seen.contains(&id) {
                self.cut_off(step, id);
            } else {
                self.wait_again(step, id);
            }
        }
    }

    /// What was never written to a terminal waits again: somebody may be typing there by now, or be asked.
    pub(super) fn take_back_unwritten(&mut self, step: &mut Step) {
        let unwritten: Vec<MessageId> =
            self.running().filter(|message| !message.handed).map(|message| message.id).collect();
        unwritten.into_iter().for_each(|id| self.wait_again(step, id));
    }

    fn wait_again(&mut self, step: &mut Step, id: MessageId) {
        let rank = self.rank_before_all();
        if let Some(index) = self.position_of_running(id) {
            let message = &mut self.messages[index];
            message.state = MessageState::Queued;
            message.rank = rank;
            message.handed = false;
            message.steer = false;
            message.started_at = None;
            self.keep_message(step, index);
        }
    }

    fn cut_off(&mut self, step: &mut Step, id: MessageId) {
        self.ask_about(id, Pause::Interrupted);
        if let Some(index) = self.position_of_running(id) {
            let error = Some("Claude ended in the middle of the turn.".to_owned());
            self.finish_message(step, index, MessageState::Interrupted, error);
        }
        if let (Some(choice), Goal::Run) = (step.settings.on_interrupted, self.row.goal) {
            // Derived, because the rules have no source of randomness; random ids are never this close together.
            let new_id = MessageId::from_u128(id.as_u128().wrapping_add(1));
            self.recover(step, id, choice, new_id);
        }
    }

    pub(super) fn ask_about(&mut self, id: MessageId, pause: Pause) {
        self.remember(id);
        // A person's pause outlives the decision.
        let held = self.row.paused.is_some_and(Pause::is_held);
        self.row.paused = Some(if held { pause.held() } else { pause });
        self.mark_queue_changed();
    }

    /// Carries out what was chosen about a message that failed or was cut off; returns the message that follows
    /// from it.
    pub(super) fn recover(
        &mut self,
        step: &mut Step,
        id: MessageId,
        choice: Recovery,
        new_id: MessageId,
    ) -> Option<MessageId> {
        let text = match choice {
            Recovery::Skip => None,
            Recovery::Continue => Some(CONTINUATION.to_owned()),
            // Claude passes over an id that it has seen, so the same words go under a new one.
            Recovery::Again => self.messages.iter().find(|row| row.id == id).map(|row| row.text.clone()),
        };
        self.decided();
        let text = text?;
        self.enqueue(step, new_id, text, true);
        Some(new_id)
    }

    fn finish_message(&mut self, step: &mut Step, index: usize, state: MessageState, error: Option<String>) {
        let message = &mut self.messages[index];
        message.state = state;
        message.error = error;
        message.finished_at = Some(step.now.wall);
        let id = message.id;
        let awaited = self.row.paused.is_some_and(Pause::awaits_decision);
        if state == MessageState::Interrupted && !awaited {
            // A person may want it again, though nothing waits for the decision.
            self.remember(id);
        }
        if let Some(index) = self.messages.iter().position(|message| message.id == id) {
            self.keep_message(step, index);
        }
    }

    /// Keeps this finished message at hand for a decision, instead of an earlier one.
    fn remember(&mut self, id: MessageId) {
        if let Some(earlier) = self.row.pause_message.replace(id)
            && earlier != id
        {
            self.messages.retain(|message| message.id != earlier || !message.state.is_final());
        }
    }

    /// Takes waiting messages out.
    pub(super) fn cancel_waiting(&mut self, step: &mut Step, only: Option<MessageId>, why: Option<&str>) {
        let ids: Vec<MessageId> = self
            .waiting()
            .iter()
            .map(|message| message.id)
            .filter(|id| only.is_none_or(|one| one == *id))
            .collect();
        for id in ids {
            if let Some(index) = self.messages.iter().position(|message| message.id == id) {
                self.finish_message(step, index, MessageState::Cancelled, why.map(str::to_owned));
            }
        }
    }

    /// Puts a waiting message at this place among the waiting ones.
    pub(super) fn move_message(&mut self, step: &mut Step, id: MessageId, position: usize) {
        let mut order: Vec<MessageId> =
            self.waiting().iter().map(|message| message.id).filter(|other| *other != id).collect();
        let place = position.min(order.len());
        let rank_of = |id: MessageId| self.messages.iter().find(|row| row.id == id).map_or(0, |row| row.rank);
        let before = place.checked_sub(1).map(|index| rank_of(order[index]));
        let after = order.get(place).map(|id| rank_of(*id));
        let rank = match (before, after) {
            (None, None) => 0,
            (Some(before), None) => before + RANK_STEP,
            (None, Some(after)) => after - RANK_STEP,
            (Some(before), Some(after)) if after - before >= 2 => before + (after - before) / 2,
            (Some(_), Some(_)) => {
                order.insert(place, id);
                self.rank_anew(step, &order);
                return;
            }
        };
        self.set_rank(step, id, rank);
    }

    fn rank_anew(&mut self, step: &mut Step, order: &[MessageId]) {
        for (id, number) in order.iter().zip(1i64..) {
            self.set_rank(step, *id, number * RANK_STEP);
        }
    }

    fn set_rank(&mut self, step: &mut Step, id: MessageId, rank: i64) {
        if let Some(index) = self.messages.iter().position(|message| message.id == id) {
            self.messages[index].rank = rank;
            self.keep_message(step, index);
        }
    }

    fn position_of_running(&self, id: MessageId) -> Option<usize> {
        self.messages.iter().position(|message| message.id == id && message.state == MessageState::Running)
    }

    /// After a daemon's start: what it had decided to write and the journal does not show is written now.
    pub(super) fn send_undelivered(&mut self, step: &mut Step) {
        let mut inputs: Vec<Input> = self
            .running()
            .filter(|message| !message.handed)
            .map(|message| Input::Message {
                id: message.id,
                text: message.text.clone(),
                steer: message.steer,
            })
            .collect();
        for prompt in self.prompts.values() {
            if prompt.state == PermissionState::Answered
                && !prompt.delivered
                && prompt.launch == self.row.launch
                && let Some(answer) = &prompt.answer
            {
                let (permission, ask) = (prompt.id, Box::new(prompt.ask.clone()));
                inputs.push(Input::Answer { permission, ask, answer: answer.clone() });
            }
        }
        for input in inputs {
            self.send(step, input);
        }
    }
}

/// The beginning of a text as one line.
pub(super) fn first_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.chars().filter(|character| !character.is_control()).take(TASK_CHARS).collect()
}
